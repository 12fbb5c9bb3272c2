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
        /// The name of a member comes next, and no value.
        var isAtName = false
        var depth = 0
    }

    private var cursor = Cursor()

    /// Nodes that have been written.
    var count: Int { cursor.made }

    /// - Parameters:
    ///   - text: the same in each call.
    ///   - nodes: space for one more node than have been written, at least.
    mutating func list(_ text: Span<UInt8>, into nodes: UnsafeMutableBufferPointer<Node>) -> Outcome {
        guard text.count < Int32.max else { return .broken }
        return unsafe list(text, into: LentMemory(nodes))
    }

    private mutating func list(_ text: Span<UInt8>, into nodes: LentMemory<Node>) -> Outcome {
        // Of its own: a member would be read from memory and written back with each step.
        var cursor = cursor
        defer { self.cursor = cursor }
        if cursor.index == 0 { cursor.index = Self.start(of: text) }
        while true {
            // At a name, or at a value: a member's, an element, or the outermost one.
            cursor.index = Self.skipBlanks(text, cursor.index)
            guard cursor.made < nodes.count else { return .noSpace }
            guard let first = text.byte(at: cursor.index) else { return .broken }
            if first == UInt8(ascii: "\"") {
                guard cursor.takeString(text, nodes) else { return .broken }
                if cursor.isAtName {
                    guard cursor.takeColon(text) else { return .broken }
                    continue
                }
            } else {
                if cursor.isAtName { return .broken }
                if first | 0x20 == UInt8(ascii: "{") {
                    guard let isEmpty = cursor.open(first, text, nodes) else { return .broken }
                    if !isEmpty { continue }
                } else {
                    let scalar = Self.scalar(first, text, cursor.index)
                    guard scalar.end > 0 else { return .broken }
                    cursor.add(scalar.kind, upTo: scalar.end, nodes)
                }
            }
            switch cursor.close(text, nodes) {
            case .item: continue
            case .broken: return .broken
            case .ended: return .whole
            }
        }
    }

    /// Behind a byte order mark.
    private static func start(of text: Span<UInt8>) -> Int { text.stands("\u{FEFF}", at: 0) ? 3 : 0 }

    @inline(__always)
    fileprivate static func skipBlanks(_ text: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while let byte = text.byte(at: index), byte <= 0x20 {
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return index }
            index &+= 1
        }
        return index
    }

    /// - Parameter first: the byte at `start`.
    /// - Returns: the place behind the word or the number that begins there; 0 when none does.
    private static func scalar(_ first: UInt8, _ text: Span<UInt8>, _ start: Int) -> (kind: JSONValue.Kind, end: Int) {
        switch first {
        case UInt8(ascii: "t"): (.true, text.stands("true", at: start) ? start &+ 4 : 0)
        case UInt8(ascii: "f"): (.false, text.stands("false", at: start) ? start &+ 5 : 0)
        case UInt8(ascii: "n"): (.null, text.stands("null", at: start) ? start &+ 4 : 0)
        default: (.number, number(text, start))
        }
    }

    /// - Returns: the byte behind the number that begins here; 0 when none does.
    @inline(__always)
    private static func number(_ text: Span<UInt8>, _ start: Int) -> Int {
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

    /// Behind the name of a member.
    @inline(__always)
    fileprivate mutating func takeColon(_ text: Span<UInt8>) -> Bool {
        index = JSONLister.skipBlanks(text, index)
        guard text.byte(at: index) == UInt8(ascii: ":") else { return false }
        index &+= 1
        isAtName = false
        return true
    }

    /// Behind a value, or at the bracket that closes an empty container: closes what ends here.
    @inline(__always)
    fileprivate mutating func close(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Step {
        while true {
            index = JSONLister.skipBlanks(text, index)
            guard container >= 0 else { return index == text.count ? .ended : .broken }
            guard let byte = text.byte(at: index) else { return .broken }
            index &+= 1
            if byte == UInt8(ascii: ",") {
                isAtName = isObject
                return .item
            }
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
    fileprivate mutating func takeString(_ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Bool {
        let string = JSONLister.string(text, index &+ 1)
        guard string.end > 0 else { return false }
        add(.string, isEscaped: string.isEscaped, upTo: string.end, nodes)
        return true
    }

    /// - Returns: whether the bracket that closes it comes next; nil when it may not be opened.
    @inline(__always)
    fileprivate mutating func open(_ bracket: UInt8, _ text: Span<UInt8>, _ nodes: LentMemory<JSONLister.Node>) -> Bool?
    {
        depth &+= 1
        guard depth <= JSONDocument.maximumDepth else { return nil }
        isObject = bracket == UInt8(ascii: "{")
        nodes[made] = JSONLister.Node(
            kind: isObject ? .object : .array, start: Int32(truncatingIfNeeded: index), end: 0,
            next: Int32(truncatingIfNeeded: container))
        container = made
        made &+= 1
        index = JSONLister.skipBlanks(text, index &+ 1)
        isAtName = isObject
        return text.byte(at: index) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }

    @inline(__always)
    fileprivate mutating func add(
        _ kind: JSONValue.Kind, isEscaped: Bool = false, upTo end: Int, _ nodes: LentMemory<JSONLister.Node>
    ) {
        nodes[made] = JSONLister.Node(
            kind: kind, isEscaped: isEscaped, start: Int32(truncatingIfNeeded: index),
            end: Int32(truncatingIfNeeded: end), next: Int32(truncatingIfNeeded: made &+ 1))
        made &+= 1
        index = end
    }
}
