/// A short JSON text that is only looked at: checked and listed as a `JSONDocument` is, but on the stack, and without a reference to
/// anything. An event of a stream costs no memory so.
///
/// It must not outlive the closure that lent it the text.
struct JSONFastPath {
    /// A text with more values is left to `JSONDocument`.
    static let mostValues = 64

    private let text: UnsafePointer<UInt8>
    private let nodes: UnsafePointer<JSONDocument.Node>
    private let index: Int

    /// Lends the outermost value of `text`.
    ///
    /// - Returns: nil when the text is not JSON or has too many values, or when `look` gives nil.
    static func look<Result>(at text: UnsafeBufferPointer<UInt8>, _ look: (JSONFastPath) -> Result?) -> Result? {
        withUnsafeTemporaryAllocation(of: JSONDocument.Node.self, capacity: mostValues) { nodes in
            var lister = JSONLister()
            guard lister.list(text, into: nodes) == .whole, let start = text.baseAddress, let first = nodes.baseAddress
            else { return nil }
            return look(JSONFastPath(text: start, nodes: UnsafePointer(first), index: 0))
        }
    }

    /// The same for a text of any number of values: one with many is listed on the heap.
    static func look<Result>(atAnyOf text: UnsafeBufferPointer<UInt8>, _ look: (JSONFastPath) -> Result?) -> Result? {
        withUnsafeTemporaryAllocation(of: JSONDocument.Node.self, capacity: mostValues) { nodes in
            var lister = JSONLister()
            guard let start = text.baseAddress, let first = nodes.baseAddress else { return nil }
            switch lister.list(text, into: nodes) {
            case .whole: return look(JSONFastPath(text: start, nodes: UnsafePointer(first), index: 0))
            case .broken: return nil
            case .noSpace:
                return lookAgain(at: text, after: UnsafeBufferPointer(rebasing: nodes[..<lister.count]), &lister, look)
            }
        }
    }

    @inline(never)
    private static func lookAgain<Result>(
        at text: UnsafeBufferPointer<UInt8>, after first: UnsafeBufferPointer<JSONDocument.Node>,
        _ lister: inout JSONLister, _ look: (JSONFastPath) -> Result?
    ) -> Result? {
        guard let start = text.baseAddress else { return nil }
        var capacity = 8 * mostValues
        var nodes = UnsafeMutablePointer<JSONDocument.Node>.allocate(capacity: capacity)
        defer { nodes.deallocate() }
        if let known = first.baseAddress { nodes.initialize(from: known, count: first.count) }
        while true {
            switch lister.list(text, into: UnsafeMutableBufferPointer(start: nodes, count: capacity)) {
            case .whole: return look(JSONFastPath(text: start, nodes: UnsafePointer(nodes), index: 0))
            case .broken: return nil
            case .noSpace:
                let larger = UnsafeMutablePointer<JSONDocument.Node>.allocate(capacity: 2 * capacity)
                larger.initialize(from: nodes, count: lister.count)
                nodes.deallocate()
                (nodes, capacity) = (larger, 2 * capacity)
            }
        }
    }

    private init(text: UnsafePointer<UInt8>, nodes: UnsafePointer<JSONDocument.Node>, index: Int) {
        self.text = text
        self.nodes = nodes
        self.index = index
    }

    var kind: JSONValue.Kind { nodes[index].kind }

    /// Where the value stands in the text, quotes and brackets included.
    var place: Range<Int> { Int(nodes[index].start)..<Int(nodes[index].end) }

    /// Where a string's content stands in the text, escapes untouched; nil for other kinds.
    var content: Range<Int>? {
        guard kind == .string else { return nil }
        return Int(nodes[index].start) + 1..<Int(nodes[index].end) - 1
    }

    /// A whole number from 0 to 99; nil for everything else, which may well be a number.
    var smallInt: Int? {
        let place = place
        guard kind == .number, place.count <= 2 else { return nil }
        var number = 0
        for index in place {
            guard text[index] != UInt8(ascii: "-") else { return nil }
            number = number * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        return number
    }

    /// A whole number of at most 18 digits, without a sign; nil for everything else.
    var plainInt: Int? {
        let place = place
        guard kind == .number, place.count <= 18 else { return nil }
        var number = 0
        for index in place {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    /// Whether this is a string that is written so.
    func isWritten(_ wanted: StaticString) -> Bool {
        guard let content else { return false }
        return Name(text: UnsafeBufferPointer(start: text + content.lowerBound, count: content.count), isEscaped: false)
            .reads(wanted)
    }

    /// A member's name, or a string, as it is written.
    struct Name {
        fileprivate let text: UnsafeBufferPointer<UInt8>
        /// It has escapes, and may mean something else than what is written.
        let isEscaped: Bool

        /// Whether this is the name, however it is escaped.
        @inline(__always)
        func means(_ name: StaticString) -> Bool { isEscaped ? decodes(to: name) : reads(name) }

        @inline(never)
        private func decodes(to name: StaticString) -> Bool {
            JSONString.decode(ArraySlice(text)).utf8.elementsEqual(name.utf8)
        }

        /// Whether exactly this is written.
        @inline(__always)
        func reads(_ name: StaticString) -> Bool {
            guard text.count == name.utf8CodeUnitCount else { return false }
            let wanted = name.utf8Start
            var index = 0
            while index < text.count {
                if text[index] != wanted[index] { return false }
                index += 1
            }
            return true
        }
    }

    /// Shows each member of an object, or each element of an array with an empty name.
    ///
    /// - Parameter body: returns whether to go on.
    /// - Returns: whether all have been shown. True for other kinds, which have none.
    @inline(__always)
    func each(_ body: (Name, JSONFastPath) -> Bool) -> Bool {
        let kind = kind
        guard kind == .object || kind == .array else { return true }
        let end = Int(nodes[index].next)
        var child = index + 1
        while child < end {
            var name = Name(text: UnsafeBufferPointer(start: text, count: 0), isEscaped: false)
            if kind == .object {
                let key = nodes[child]
                name = Name(
                    text: UnsafeBufferPointer(start: text + Int(key.start) + 1, count: Int(key.end - key.start) - 2),
                    isEscaped: key.isEscaped)
                child += 1
            }
            guard body(name, JSONFastPath(text: text, nodes: nodes, index: child)) else { return false }
            child = Int(nodes[child].next)
        }
        return true
    }
}
