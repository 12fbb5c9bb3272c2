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
            var parser = JSONParser(expectedNodes: Self.expectedNodes(in: bytes.count))
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
        // One more than are allowed: then there are too many.
        let most = limit + 1
        var (lister, capacity) = (JSONLister(), min(most, expectedNodes(in: bytes.count)))
        var found = list(bytes.span, in: capacity, after: [], &lister)
        while found.outcome == .noSpace {
            guard capacity < most else { return nil }
            capacity = min(capacity * 2, most)
            found = list(bytes.span, in: capacity, after: found.nodes, &lister)
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
        guard bytes.count < 4096 else { return nodes(of: bytes.span, after: [], &lister) }
        // What is guessed too large costs more than a copy of what has been found.
        return unsafe withUnsafeTemporaryAllocation(of: Node.self, capacity: fewNodes) { space in
            switch unsafe lister.list(bytes.span, into: space) {
            case .whole: unsafe Array(space[..<lister.count])
            case .noSpace: unsafe nodes(of: bytes.span, after: space[..<lister.count], &lister)
            case .broken: nil
            }
        }
    }

    /// - Parameter first: those that `lister` has found already.
    static func nodes(
        of bytes: Span<UInt8>, after first: some Collection<Node>, _ lister: inout JSONLister
    ) -> [Node]? {
        var capacity = max(expectedNodes(in: bytes.count), 2 * first.count)
        var found = list(bytes, in: capacity, after: first, &lister)
        while found.outcome == .noSpace {
            capacity *= 2
            found = list(bytes, in: capacity, after: found.nodes, &lister)
        }
        return found.outcome == .whole ? found.nodes : nil
    }

    private static func list(
        _ bytes: Span<UInt8>, in capacity: Int, after before: some Collection<Node>, _ lister: inout JSONLister
    ) -> (nodes: [Node], outcome: JSONLister.Outcome) {
        var outcome = JSONLister.Outcome.broken
        // The lister writes no node beyond the space, and says how many it has written.
        let nodes = unsafe [Node](unsafeUninitializedCapacity: capacity) { space, count in
            _ = unsafe space.initialize(from: before)
            outcome = unsafe lister.list(bytes, into: space)
            count = lister.count
        }
        return (nodes, outcome)
    }

    private static func expectedNodes(in bytes: Int) -> Int { min(bytes / 12 + 4, 4096) }

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
            let (list, bytes) = (nodes, bytes)
            let nodes = list.span
            let text = bytes.span
            guard nodes[Int(object)].kind == .object else { return nil }
            var found: Int32?
            var key = Int(object) + 1
            let end = Int(nodes[Int(object)].next)
            while key < end {
                if Self.string(nodes[key], of: text, is: name) { found = Int32(key + 1) }
                key = Int(nodes[key + 1].next)
            }
            return found
        }

        /// Where the values of all members of that name stand in the text.
        func places(of name: StaticString, in object: Int32) -> [Range<Int>] {
            let (list, bytes) = (nodes, bytes)
            let nodes = list.span
            let text = bytes.span
            guard nodes[Int(object)].kind == .object else { return [] }
            var places: [Range<Int>] = []
            var key = Int(object) + 1
            let end = Int(nodes[Int(object)].next)
            while key < end {
                let value = nodes[key + 1]
                if Self.string(nodes[key], of: text, is: name) { places.append(Int(value.start)..<Int(value.end)) }
                key = Int(value.next)
            }
            return places
        }

        /// Whether the value at `index` is the string `text`.
        func value(_ index: Int32, is text: StaticString) -> Bool {
            let node = nodes[Int(index)]
            let bytes = bytes
            return node.kind == .string && Self.string(node, of: bytes.span, is: text)
        }

        @inline(__always)
        private static func string(_ node: Node, of text: Span<UInt8>, is wanted: StaticString) -> Bool {
            let content = Int(node.start) + 1..<Int(node.end) - 1
            return node.isEscaped ? decoded(content, of: text, is: wanted) : text.isText(content, wanted)
        }

        @inline(never)
        private static func decoded(_ content: Range<Int>, of text: Span<UInt8>, is wanted: StaticString) -> Bool {
            JSONString.decode(text.extracting(content)).utf8.elementsEqual(wanted.utf8)
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

    init(_ problem: String, at offset: Int, in bytes: Span<UInt8>) {
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
