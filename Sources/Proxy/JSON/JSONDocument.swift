/// A parsed JSON text: the bytes as they came, and a flat list of the values in them.
///
/// Parsing checks the whole text (RFC 8259, UTF-8, depth) but decodes nothing: a string stays a range of bytes until
/// somebody asks for it, and most of a chat goes from one document into another without ever becoming a `String`.
/// Use Foundation's coders where clarity counts more than time (configuration, statistics).
struct JSONDocument: Sendable {
    /// Deeper nesting than this is refused: no client needs it, and it would only cost stack.
    static let maximumDepth = 256

    private let storage: Storage

    /// Parses `bytes`, which may begin with a byte order mark.
    ///
    /// - Throws: `JSONSyntaxError` with the position of the first byte that cannot be.
    init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        if let nodes = Self.nodes(of: bytes) {
            storage = Storage(bytes: bytes, nodes: nodes)
        } else {
            var parser = JSONParser(expectedNodes: Self.expectedNodes(in: bytes))
            try parser.parse(bytes)
            storage = Storage(bytes: bytes, nodes: parser.nodes)
        }
    }

    /// The same for a text of a stranger's: a list of its values takes 16 bytes for each, and the shortest are two bytes long.
    ///
    /// - Parameter limit: values that it may have.
    /// - Returns: nil when there are more.
    static func parse(_ bytes: [UInt8], upTo limit: Int) throws(JSONSyntaxError) -> JSONDocument? {
        // So many would not go into so few bytes.
        guard bytes.count / 2 + 1 > limit else { return try JSONDocument(parsing: bytes) }
        // A member takes two places at once, its name and its value: so one more than are allowed.
        let most = limit + 1
        var (lister, capacity) = (JSONLister(), min(most, expectedNodes(in: bytes)))
        var found = list(bytes, in: capacity, after: [], &lister)
        while found.outcome == .noSpace {
            guard capacity < most else { return nil }
            capacity = min(capacity * 2, most)
            found = list(bytes, in: capacity, after: found.nodes, &lister)
        }
        guard found.outcome == .whole else { return try JSONDocument(parsing: bytes) }
        guard found.nodes.count <= limit else { return nil }
        return JSONDocument(storage: Storage(bytes: bytes, nodes: found.nodes))
    }

    private init(storage: Storage) { self.storage = storage }

    /// Values of a small text, for which the stack has room.
    private static let fewNodes = 64

    /// The values of a text, in one list; nil when it is not JSON.
    static func nodes(of bytes: [UInt8]) -> [Node]? {
        var lister = JSONLister()
        guard bytes.count < 4096 else {
            return nodes(
                of: bytes, after: Slice(base: UnsafeMutableBufferPointer(start: nil, count: 0), bounds: 0..<0), &lister)
        }
        // What is guessed too large costs more than a copy of what has been found.
        return withUnsafeTemporaryAllocation(of: Node.self, capacity: fewNodes) { space in
            switch bytes.withUnsafeBufferPointer({ lister.list($0, into: space) }) {
            case .whole: Array(space[..<lister.count])
            case .noSpace: nodes(of: bytes, after: space[..<lister.count], &lister)
            case .broken: nil
            }
        }
    }

    /// - Parameter first: those that `lister` has found already.
    private static func nodes(
        of bytes: [UInt8], after first: Slice<UnsafeMutableBufferPointer<Node>>, _ lister: inout JSONLister
    ) -> [Node]? {
        var capacity = max(expectedNodes(in: bytes), 2 * first.count)
        var found = list(bytes, in: capacity, after: first, &lister)
        while found.outcome == .noSpace {
            capacity *= 2
            found = list(bytes, in: capacity, after: found.nodes, &lister)
        }
        return found.outcome == .whole ? found.nodes : nil
    }

    private static func list(
        _ bytes: [UInt8], in capacity: Int, after before: some Collection<Node>, _ lister: inout JSONLister
    ) -> (nodes: [Node], outcome: JSONLister.Outcome) {
        var outcome = JSONLister.Outcome.broken
        let nodes = [Node](unsafeUninitializedCapacity: capacity) { space, count in
            _ = space.initialize(from: before)
            outcome = bytes.withUnsafeBufferPointer { lister.list($0, into: space) }
            count = lister.count
        }
        return (nodes, outcome)
    }

    private static func expectedNodes(in bytes: [UInt8]) -> Int { min(bytes.count / 12 + 4, 4096) }

    /// The outermost value.
    var root: JSONValue { JSONValue(storage: storage, index: 0) }

    /// The text as it came.
    var bytes: [UInt8] { storage.bytes }

    /// One value: its kind, where it stands in the text, and where its subtree ends in the list.
    struct Node {
        var kind: JSONValue.Kind
        /// Strings only: there is at least one backslash between the quotes.
        var isEscaped = false
        /// First byte of the value as written (the opening quote or bracket).
        var start: Int32
        /// The byte after its last.
        var end: Int32
        /// Index of the node after this value's subtree.
        var next: Int32
    }

    final class Storage: Sendable {
        let bytes: [UInt8]
        let nodes: [Node]

        init(bytes: [UInt8], nodes: [Node]) {
            self.bytes = bytes
            self.nodes = nodes
        }

        /// The last member of that name in the object at `object`; nil when there is none, or no object.
        ///
        /// A stream looks up a dozen names per event, so this compares bytes in place: a `JSONValue` per member would
        /// cost a reference count each.
        func member(_ name: StaticString, of object: Int32) -> Int32? {
            nodes.withUnsafeBufferPointer { nodes in
                bytes.withUnsafeBufferPointer { text in
                    guard nodes[Int(object)].kind == .object else { return nil }
                    let wanted = name.utf8
                    var found: Int32?
                    var key = Int(object) + 1
                    let end = Int(nodes[Int(object)].next)
                    while key < end {
                        if Self.string(nodes[key], of: text, is: wanted) { found = Int32(key + 1) }
                        key = Int(nodes[key + 1].next)
                    }
                    return found
                }
            }
        }

        /// Where the values of all members of that name stand in the text.
        func places(of name: StaticString, in object: Int32) -> [Range<Int>] {
            nodes.withUnsafeBufferPointer { nodes in
                bytes.withUnsafeBufferPointer { text in
                    guard nodes[Int(object)].kind == .object else { return [] }
                    let wanted = name.utf8
                    var places: [Range<Int>] = []
                    var key = Int(object) + 1
                    let end = Int(nodes[Int(object)].next)
                    while key < end {
                        let value = nodes[key + 1]
                        if Self.string(nodes[key], of: text, is: wanted) {
                            places.append(Int(value.start)..<Int(value.end))
                        }
                        key = Int(value.next)
                    }
                    return places
                }
            }
        }

        /// Whether the value at `index` is the string `text`.
        func value(_ index: Int32, is text: StaticString) -> Bool {
            let node = nodes[Int(index)]
            return node.kind == .string && bytes.withUnsafeBufferPointer { Self.string(node, of: $0, is: text.utf8) }
        }

        @inline(__always)
        private static func string(
            _ node: Node, of text: UnsafeBufferPointer<UInt8>, is wanted: UnsafeBufferPointer<UInt8>
        ) -> Bool {
            let start = Int(node.start) + 1
            let count = Int(node.end) - 1 - start
            if node.isEscaped {
                return JSONString.decode(ArraySlice(text[start..<start + count])).utf8.elementsEqual(wanted)
            }
            guard count == wanted.count else { return false }
            var index = 0
            while index < count, text[start + index] == wanted[index] { index += 1 }
            return index == count
        }

        /// The names and places that lead from the outermost value to the one at `index`.
        func path(to index: Int32) -> String {
            var path = ""
            var container: Int32 = 0
            while container < index {
                let isObject = nodes[Int(container)].kind == .object
                var place = 0
                var child = isObject ? container + 2 : container + 1
                while nodes[Int(child)].next <= index {
                    child = nodes[Int(child)].next + (isObject ? 1 : 0)
                    place += 1
                }
                if isObject {
                    let key = JSONValue(storage: self, index: child - 1).string ?? ""
                    path += path.isEmpty ? key : "." + key
                } else {
                    path += "[\(place)]"
                }
                container = child
            }
            return path
        }
    }
}

/// A text that is not JSON: what is wrong, and where.
struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    /// Problems that somebody else words a remedy for.
    static let missingComma = "a comma or a closing bracket is missing"
    static let notUTF8 = "the text is not UTF-8"

    /// What was found or missed, as the end of a sentence.
    let problem: String
    /// Bytes before the place.
    let offset: Int
    /// Line of the place, from 1.
    let line: Int
    /// Column of the place in bytes, from 1.
    let column: Int

    init(_ problem: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        self.problem = problem
        self.offset = offset
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, bytes.count) where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        self.line = line
        self.column = offset - lineStart + 1
    }

    var description: String { "\(problem) at line \(line), column \(column) (byte \(offset))" }
}
