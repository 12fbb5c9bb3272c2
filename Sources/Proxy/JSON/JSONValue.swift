/// A value inside a `JSONDocument`: a view that costs a reference, not a copy.
struct JSONValue: Sendable {
    enum Kind: UInt8, Sendable {
        case object, array, string, number, `true`, `false`, null
    }

    private let storage: JSONDocument.Storage
    private let index: Int32

    init(storage: JSONDocument.Storage, index: Int32) {
        self.storage = storage
        self.index = index
    }

    private var node: JSONDocument.Node { storage.nodes[Int(index)] }

    var kind: Kind { node.kind }
    var isNull: Bool { kind == .null }

    /// Values in it, names of members and itself included.
    var size: Int {
        let node = node
        return node.kind == .object || node.kind == .array ? Int(node.next - index) : 1
    }

    /// The value as it is written, quotes and brackets included. Valid JSON by itself.
    var raw: ArraySlice<UInt8> { storage.bytes[Int(node.start)..<Int(node.end)] }

    /// A string as it is written between its quotes, escapes untouched; nil for other kinds.
    var rawString: ArraySlice<UInt8>? {
        guard kind == .string else { return nil }
        return storage.bytes[Int(node.start) + 1..<Int(node.end) - 1]
    }

    /// How a person names the kind, with its article: "a string", "an object".
    var kindName: String {
        switch kind {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .true, .false: "a boolean"
        case .null: "null"
        }
    }

    // MARK: Scalars

    var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// A string, decoded. A lone surrogate escape becomes U+FFFD.
    var string: String? {
        guard let content = rawString else { return nil }
        return node.isEscaped ? JSONString.decode(content) : String(decoding: content, as: UTF8.self)
    }

    /// A string's emptiness, without decoding it; nil for other kinds.
    var isEmptyString: Bool? { rawString?.isEmpty }

    /// Whether this is the string `text`.
    func equals(_ text: StaticString) -> Bool {
        storage.value(index, is: text)
    }

    /// A number without a fraction that fits an `Int` (`3`, also `3.0` and `3e2`); nil for everything else.
    var int: Int? {
        guard kind == .number else { return nil }
        let written = raw
        if let value = Self.plainInt(written) ?? Int(String(decoding: written, as: UTF8.self)) { return value }
        // A double would round the last digits of a long integer away, so only the other forms are left to it.
        let isInteger = written.allSatisfy {
            $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return isInteger ? nil : double.flatMap { Int(exactly: $0) }
    }

    /// What nearly all whole numbers are: at most 18 digits without a sign; nil for others.
    private static func plainInt(_ written: ArraySlice<UInt8>) -> Int? {
        guard written.count <= 18 else { return nil }
        var number = 0
        for byte in written {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number &* 10 &+ Int(digit)
        }
        return number
    }

    /// A number; nil for other kinds and for numbers beyond a double's range.
    var double: Double? {
        guard kind == .number, let value = Double(String(decoding: raw, as: UTF8.self)), value.isFinite else {
            return nil
        }
        return value
    }

    // MARK: Place

    /// Where the value stands in its document, such as `messages[2].content`; empty for the outermost. Takes a walk over the document.
    var path: String { storage.path(to: index) }

    // MARK: Containers

    /// The member of that name; the last one when there are several, as every JSON library of the clients does. Nil for
    /// other kinds than objects.
    subscript(name: StaticString) -> JSONValue? {
        storage.member(name, of: index).map { JSONValue(storage: storage, index: $0) }
    }

    /// The member of that name, unless it is absent or null.
    func present(_ name: StaticString) -> JSONValue? {
        guard let member = storage.member(name, of: index), storage.nodes[Int(member)].kind != .null else { return nil }
        return JSONValue(storage: storage, index: member)
    }

    /// Where the values of all members of that name stand in the text; none for other kinds than objects.
    func places(of name: StaticString) -> [Range<Int>] { storage.places(of: name, in: index) }

    /// The members in their order; none for other kinds than objects.
    var members: Members { Members(value: self) }

    /// The elements in their order; none for other kinds than arrays.
    var elements: Elements { Elements(value: self) }

    /// The elements of the array of that name; none when there is no such array.
    func elements(of name: StaticString) -> [JSONValue] {
        self[name].map { Array($0.elements) } ?? []
    }

    struct Members: Sequence, IteratorProtocol {
        private let storage: JSONDocument.Storage
        private var cursor: Int32
        private let end: Int32

        fileprivate init(value: JSONValue) {
            storage = value.storage
            cursor = value.index + 1
            end = value.kind == .object ? value.node.next : value.index
        }

        mutating func next() -> (key: JSONValue, value: JSONValue)? {
            guard cursor < end else { return nil }
            let key = JSONValue(storage: storage, index: cursor)
            let value = JSONValue(storage: storage, index: cursor + 1)
            cursor = storage.nodes[Int(cursor + 1)].next
            return (key, value)
        }
    }

    struct Elements: Sequence, IteratorProtocol {
        private let storage: JSONDocument.Storage
        private var cursor: Int32
        private let end: Int32

        fileprivate init(value: JSONValue) {
            storage = value.storage
            cursor = value.index + 1
            end = value.kind == .array ? value.node.next : value.index
        }

        mutating func next() -> JSONValue? {
            guard cursor < end else { return nil }
            defer { cursor = storage.nodes[Int(cursor)].next }
            return JSONValue(storage: storage, index: cursor)
        }
    }
}
