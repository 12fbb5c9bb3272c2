/// Lists the values of a JSON text, as `JSONParser` does, for a fraction of its cost: it tells whether a text is JSON, and nothing about
/// one that is not. What is wrong there and where, `JSONParser` finds.
///
/// One loop without recursion: an open container remembers the one around it in its own node. So it can stop when the space for nodes is
/// used up, and go on in a larger one.
struct JSONLister {
    typealias Node = JSONDocument.Node

    enum Outcome {
        /// The text is JSON, and all its values are listed.
        case whole
        /// To be called again with more space, in which the nodes that are there have been copied.
        case noSpace
        /// The text is not JSON, or nested too deeply.
        case broken
    }

    /// Nodes that have been written.
    private(set) var count = 0
    private var position = 0
    /// The node of the innermost container that is open; -1 for none.
    private var container = -1
    private var depth = 0

    /// - Parameters:
    ///   - text: the same in each call.
    ///   - nodes: space for two more nodes than have been written, at least.
    mutating func list(_ text: UnsafeBufferPointer<UInt8>, into nodes: UnsafeMutableBufferPointer<Node>) -> Outcome {
        guard text.count < Int32.max, let start = text.baseAddress, let space = nodes.baseAddress else {
            return .broken
        }
        return list(start, text.count, into: space, nodes.count)
    }

    private mutating func list(
        _ text: UnsafePointer<UInt8>, _ end: Int, into nodes: UnsafeMutablePointer<Node>, _ capacity: Int
    ) -> Outcome {
        // The text has less than 2^31 bytes, and no place in it is beyond its end: nothing here can overflow.
        // Members would be read from memory and written back with each step.
        var (made, index, container, depth) = (count, position, container, depth)
        if index == 0, end >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { index = 3 }
        var isObject = container >= 0 && nodes[container].kind == .object

        // At an item: a member of an object, an element of an array, or the outermost value.
        items: while true {
            index = Self.skipBlanks(text, end, index)
            if made &+ 2 > capacity {
                (count, position, self.container, self.depth) = (made, index, container, depth)
                return .noSpace
            }
            if isObject {
                guard index < end, text[index] == UInt8(ascii: "\"") else { return .broken }
                let string = Self.string(text, end, index &+ 1)
                guard string.end > 0 else { return .broken }
                nodes[made] = Node(
                    kind: .string, isEscaped: string.isEscaped, start: Int32(truncatingIfNeeded: index),
                    end: Int32(truncatingIfNeeded: string.end), next: Int32(truncatingIfNeeded: made &+ 1))
                made &+= 1
                index = Self.skipBlanks(text, end, string.end)
                guard index < end, text[index] == UInt8(ascii: ":") else { return .broken }
                index = Self.skipBlanks(text, end, index &+ 1)
            }
            guard index < end else { return .broken }
            let first = text[index]
            switch first {
            case UInt8(ascii: "\""):
                let string = Self.string(text, end, index &+ 1)
                guard string.end > 0 else { return .broken }
                nodes[made] = Node(
                    kind: .string, isEscaped: string.isEscaped, start: Int32(truncatingIfNeeded: index),
                    end: Int32(truncatingIfNeeded: string.end), next: Int32(truncatingIfNeeded: made &+ 1))
                made &+= 1
                index = string.end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth &+= 1
                guard depth <= JSONDocument.maximumDepth else { return .broken }
                isObject = first == UInt8(ascii: "{")
                nodes[made] = Node(
                    kind: isObject ? .object : .array, start: Int32(truncatingIfNeeded: index), end: 0,
                    next: Int32(truncatingIfNeeded: container))
                container = made
                made &+= 1
                index = Self.skipBlanks(text, end, index &+ 1)
                guard index < end else { return .broken }
                // Behind an opening bracket the closing one may stand, elsewhere in an item's place it may not.
                if text[index] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { continue items }
            case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
                let length = first == UInt8(ascii: "f") ? 5 : 4
                guard index &+ length <= end, Self.isWord(text + index) else { return .broken }
                let kind: JSONValue.Kind =
                    first == UInt8(ascii: "t") ? .true : first == UInt8(ascii: "f") ? .false : .null
                nodes[made] = Node(
                    kind: kind, start: Int32(truncatingIfNeeded: index),
                    end: Int32(truncatingIfNeeded: index &+ length), next: Int32(truncatingIfNeeded: made &+ 1))
                made &+= 1
                index &+= length
            default:
                let numberEnd = Self.number(text, end, index)
                guard numberEnd > 0 else { return .broken }
                nodes[made] = Node(
                    kind: .number, start: Int32(truncatingIfNeeded: index), end: Int32(truncatingIfNeeded: numberEnd),
                    next: Int32(truncatingIfNeeded: made &+ 1))
                made &+= 1
                index = numberEnd
            }
            // Behind a value, or at the bracket that closes an empty container.
            while true {
                index = Self.skipBlanks(text, end, index)
                guard container >= 0 else {
                    guard index == end else { return .broken }
                    count = made
                    return .whole
                }
                guard index < end else { return .broken }
                let byte = text[index]
                index &+= 1
                if byte == UInt8(ascii: ",") { continue items }
                guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return .broken }
                let outer = Int(nodes[container].next)
                nodes[container].end = Int32(truncatingIfNeeded: index)
                nodes[container].next = Int32(truncatingIfNeeded: made)
                container = outer
                depth &-= 1
                isObject = outer >= 0 && nodes[outer].kind == .object
            }
        }
    }

    @inline(__always)
    private static func skipBlanks(_ text: UnsafePointer<UInt8>, _ end: Int, _ start: Int) -> Int {
        var index = start
        while index < end, text[index] <= 0x20 {
            guard text[index] == 0x20 || text[index] == 0x0A || text[index] == 0x0D || text[index] == 0x09 else {
                return index
            }
            index &+= 1
        }
        return index
    }

    /// Whether one of the three words begins here. There must be as many bytes as it has.
    @inline(__always)
    private static func isWord(_ text: UnsafePointer<UInt8>) -> Bool {
        switch UInt32(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt32.self)) {
        case 0x6575_7274, 0x6C6C_756E: true
        case 0x736C_6166: text[4] == UInt8(ascii: "e")
        default: false
        }
    }

    /// - Returns: the byte behind the number that begins here; 0 when none does.
    @inline(__always)
    private static func number(_ text: UnsafePointer<UInt8>, _ end: Int, _ start: Int) -> Int {
        var index = start
        if text[index] == UInt8(ascii: "-") { index &+= 1 }
        let first = index
        index = skipDigits(text, end, index)
        guard index > first, index == first + 1 || text[first] != UInt8(ascii: "0") else { return 0 }
        if index < end, text[index] == UInt8(ascii: ".") {
            let fraction = index + 1
            index = skipDigits(text, end, fraction)
            guard index > fraction else { return 0 }
        }
        if index < end, text[index] | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if index < end, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { index &+= 1 }
            let exponent = index
            index = skipDigits(text, end, exponent)
            guard index > exponent else { return 0 }
        }
        return index
    }

    @inline(__always)
    private static func skipDigits(_ text: UnsafePointer<UInt8>, _ end: Int, _ start: Int) -> Int {
        var index = start
        while index < end, text[index] &- UInt8(ascii: "0") <= 9 { index &+= 1 }
        return index
    }

    private typealias Vector = SIMD16<UInt8>

    /// - Parameter start: the byte behind the opening quote.
    /// - Returns: the byte behind the closing quote, and whether there are escapes; 0 when the string is not valid.
    @inline(__always)
    private static func string(_ text: UnsafePointer<UInt8>, _ end: Int, _ start: Int) -> (end: Int, isEscaped: Bool) {
        var index = start
        while index <= end &- 16 {
            let bytes = UnsafeRawPointer(text).loadUnaligned(fromByteOffset: index, as: Vector.self)
            // Control characters, and what is above ASCII: as numbers with a sign, both are less than a blank.
            let odd = unsafeBitCast(
                unsafeBitCast(bytes, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20), to: Vector.self)
            let quotes = unsafeBitCast(bytes .== Vector(repeating: 0x22), to: Vector.self)
            let backslashes = unsafeBitCast(bytes .== Vector(repeating: 0x5C), to: Vector.self)
            let marks = unsafeBitCast(quotes | backslashes | odd, to: SIMD2<UInt64>.self)
            if marks[0] | marks[1] != 0 {
                let (first, second) = (UInt64(littleEndian: marks[0]), UInt64(littleEndian: marks[1]))
                index &+= first != 0 ? first.trailingZeroBitCount >> 3 : 8 &+ second.trailingZeroBitCount >> 3
                if text[index] == UInt8(ascii: "\"") { return (index &+ 1, false) }
                break
            }
            index &+= 16
        }
        guard let string = JSONStringScan.end(UnsafeBufferPointer(start: text, count: end), from: index) else {
            return (0, false)
        }
        return (string.end + 1, string.isEscaped)
    }
}
