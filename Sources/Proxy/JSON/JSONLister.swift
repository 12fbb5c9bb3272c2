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

    /// Where the listing is.
    fileprivate struct Cursor {
        /// Nodes that have been written.
        var made = 0
        var index = 0
        /// The node of the innermost container that is open; -1 for none.
        var container = -1
        var isObject = false
        var depth = 0
    }

    private var cursor = Cursor()

    /// Nodes that have been written.
    var count: Int { cursor.made }

    /// - Parameters:
    ///   - text: the same in each call.
    ///   - nodes: space for two more nodes than have been written, at least.
    mutating func list(_ text: Span<UInt8>, into nodes: UnsafeMutableBufferPointer<Node>) -> Outcome {
        guard text.count < Int32.max else { return .broken }
        return unsafe list(text, into: LentMemory(nodes))
    }

    private mutating func list(_ text: Span<UInt8>, into nodes: LentMemory<Node>) -> Outcome {
        // Of its own: a member would be read from memory and written back with each step.
        var cursor = cursor
        defer { self.cursor = cursor }
        if cursor.index == 0, text.stands("\u{FEFF}", at: 0) { cursor.index = 3 }
        while true {
            // At an item: a member of an object, an element of an array, or the outermost value.
            cursor.index = Self.skipBlanks(text, cursor.index)
            guard cursor.made &+ 2 <= nodes.count else { return .noSpace }
            if cursor.isObject, !cursor.takeName(text, nodes) { return .broken }
            switch cursor.takeValue(text, nodes) {
            case .item: continue
            case .broken: return .broken
            case .ended: break
            }
            switch cursor.close(text, nodes) {
            case .item: continue
            case .broken: return .broken
            case .ended: return .whole
            }
        }
    }

    @inline(__always)
    fileprivate static func skipBlanks(_ text: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while let byte = text.byte(at: index), byte <= 0x20 {
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return index }
            index &+= 1
        }
        return index
    }

    /// Whether one of the three words begins here.
    @inline(__always)
    fileprivate static func isWord(_ text: Span<UInt8>, _ start: Int) -> Bool {
        text.stands("true", at: start) || text.stands("null", at: start) || text.stands("false", at: start)
    }

    /// - Returns: the byte behind the number that begins here; 0 when none does.
    @inline(__always)
    fileprivate static func number(_ text: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        if text.byte(at: index) == UInt8(ascii: "-") { index &+= 1 }
        let first = index
        index = skipDigits(text, index)
        guard index > first, index == first + 1 || text.byte(at: first) != UInt8(ascii: "0") else { return 0 }
        if text.byte(at: index) == UInt8(ascii: ".") {
            let fraction = index + 1
            index = skipDigits(text, fraction)
            guard index > fraction else { return 0 }
        }
        if let byte = text.byte(at: index), byte | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if let sign = text.byte(at: index), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { index &+= 1 }
            let exponent = index
            index = skipDigits(text, exponent)
            guard index > exponent else { return 0 }
        }
        return index
    }

    @inline(__always)
    private static func skipDigits(_ text: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while let byte = text.byte(at: index), byte &- UInt8(ascii: "0") <= 9 { index &+= 1 }
        return index
    }

    private typealias Vector = SIMD16<UInt8>

    /// - Parameter start: the byte behind the opening quote.
    /// - Returns: the byte behind the closing quote, and whether there are escapes; 0 when the string is not valid.
    @inline(__always)
    fileprivate static func string(_ text: Span<UInt8>, _ start: Int) -> (end: Int, isEscaped: Bool) {
        var index = start
        while index >= 0, index <= text.count &- 16 {
            // As many bytes are there, and whatever their bits are, they are numbers.
            let bytes = unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: Vector.self)
            // Control characters, and what is above ASCII: as numbers with a sign, both are less than a blank.
            let odd = bits(bits(bytes, as: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20), as: Vector.self)
            let quotes = bits(bytes .== Vector(repeating: 0x22), as: Vector.self)
            let backslashes = bits(bytes .== Vector(repeating: 0x5C), as: Vector.self)
            let marks = bits(quotes | backslashes | odd, as: SIMD2<UInt64>.self)
            if marks[0] | marks[1] != 0 {
                let (first, second) = (UInt64(littleEndian: marks[0]), UInt64(littleEndian: marks[1]))
                index &+= first != 0 ? first.trailingZeroBitCount >> 3 : 8 &+ second.trailingZeroBitCount >> 3
                if text.byte(at: index) == UInt8(ascii: "\"") { return (index &+ 1, false) }
                break
            }
            index &+= 16
        }
        guard let string = JSONStringScan.end(text, from: index) else { return (0, false) }
        return (string.end + 1, string.isEscaped)
    }

    /// The same 16 bytes as another kind of vector: every pattern of bits is one of each kind.
    @inline(__always)
    private static func bits<From, To>(_ vector: From, as type: To.Type) -> To {
        unsafe unsafeBitCast(vector, to: type)
    }
}

// The text has less than 2^31 bytes, and no index in it is beyond its end: nothing here can overflow.
extension JSONLister.Cursor {
    fileprivate enum Step {
        /// What comes next is an item.
        case item
        /// A value has ended, or all of them have.
        case ended
        case broken
    }

    /// The name of a member, and the colon behind it.
    @inline(__always)
    fileprivate mutating func takeName(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Bool {
        guard text.byte(at: index) == UInt8(ascii: "\""), takeString(text, nodes) else { return false }
        index = JSONLister.skipBlanks(text, index)
        guard text.byte(at: index) == UInt8(ascii: ":") else { return false }
        index = JSONLister.skipBlanks(text, index &+ 1)
        return true
    }

    /// A scalar, or the opening of a container.
    @inline(__always)
    fileprivate mutating func takeValue(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Step {
        guard let first = text.byte(at: index) else { return .broken }
        switch first {
        case UInt8(ascii: "\""):
            return takeString(text, nodes) ? .ended : .broken
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return open(asObject: first == UInt8(ascii: "{"), text, nodes)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            guard JSONLister.isWord(text, index) else { return .broken }
            let kind: JSONValue.Kind =
                first == UInt8(ascii: "t") ? .true : first == UInt8(ascii: "f") ? .false : .null
            add(kind, upTo: index &+ (kind == .false ? 5 : 4), nodes)
            return .ended
        default:
            let end = JSONLister.number(text, index)
            guard end > 0 else { return .broken }
            add(.number, upTo: end, nodes)
            return .ended
        }
    }

    /// Behind a value, or at the bracket that closes an empty container: closes what ends here.
    @inline(__always)
    fileprivate mutating func close(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Step {
        while true {
            index = JSONLister.skipBlanks(text, index)
            guard container >= 0 else { return index == text.count ? .ended : .broken }
            guard let byte = text.byte(at: index) else { return .broken }
            index &+= 1
            if byte == UInt8(ascii: ",") { return .item }
            guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return .broken }
            let outer = Int(nodes[container].next)
            nodes[container].end = Int32(truncatingIfNeeded: index)
            nodes[container].next = Int32(truncatingIfNeeded: made)
            container = outer
            depth &-= 1
            isObject = outer >= 0 && nodes[outer].kind == .object
        }
    }

    /// At its opening quote.
    @inline(__always)
    private mutating func takeString(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Bool {
        let string = JSONLister.string(text, index &+ 1)
        guard string.end > 0 else { return false }
        add(.string, isEscaped: string.isEscaped, upTo: string.end, nodes)
        return true
    }

    @inline(__always)
    private mutating func open(asObject: Bool, _ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Step {
        depth &+= 1
        guard depth <= JSONDocument.maximumDepth else { return .broken }
        isObject = asObject
        nodes[made] = JSONLister.Node(
            kind: isObject ? .object : .array, start: Int32(truncatingIfNeeded: index), end: 0,
            next: Int32(truncatingIfNeeded: container))
        container = made
        made &+= 1
        index = JSONLister.skipBlanks(text, index &+ 1)
        guard let second = text.byte(at: index) else { return .broken }
        // Behind an opening bracket the closing one may stand, elsewhere in an item's place it may not.
        return second == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) ? .ended : .item
    }

    @inline(__always)
    private mutating func add(
        _ kind: JSONValue.Kind, isEscaped: Bool = false, upTo end: Int, _ nodes: LentMemory<JSONLister.Node>
    ) {
        nodes[made] = JSONLister.Node(
            kind: kind, isEscaped: isEscaped, start: Int32(truncatingIfNeeded: index),
            end: Int32(truncatingIfNeeded: end), next: Int32(truncatingIfNeeded: made &+ 1))
        made &+= 1
        index = end
    }
}
