/// A short JSON text that is only looked at: checked and listed as a `JSONDocument` is, but on the stack, and without a reference to
/// anything. An event of a stream costs no memory so.
///
/// It must not outlive the closure that lent it the text. What it reads within that is checked to be there.
@safe struct JSONFastPath {
    /// A text with more values is left to `JSONDocument`.
    static let mostValues = 64

    private let text: UnsafeBufferPointer<UInt8>
    private let nodes: UnsafeBufferPointer<JSONDocument.Node>
    private let index: Int

    /// Lends the outermost value of `text`.
    ///
    /// - Returns: nil when the text is not JSON or has too many values, or when `look` gives nil.
    static func look<Result>(at text: Span<UInt8>, _ look: (JSONFastPath) -> Result?) -> Result? {
        unsafe withUnsafeTemporaryAllocation(of: JSONDocument.Node.self, capacity: mostValues) { space in
            var lister = JSONLister()
            guard unsafe lister.list(text, into: space) == .whole else { return nil }
            return unsafe lend(text, UnsafeBufferPointer(space), first: lister.count, look)
        }
    }

    /// The same for a text of any number of values: one with many is listed on the heap.
    static func look<Result>(atAnyOf text: Span<UInt8>, _ look: (JSONFastPath) -> Result?) -> Result? {
        unsafe withUnsafeTemporaryAllocation(of: JSONDocument.Node.self, capacity: mostValues) { space in
            var lister = JSONLister()
            switch unsafe lister.list(text, into: space) {
            case .whole: return unsafe lend(text, UnsafeBufferPointer(space), first: lister.count, look)
            case .broken: return nil
            case .noSpace: return unsafe lookAgain(at: text, after: space[..<lister.count], &lister, look)
            }
        }
    }

    @inline(never)
    private static func lookAgain<Result>(
        at text: Span<UInt8>, after first: Slice<UnsafeMutableBufferPointer<JSONDocument.Node>>,
        _ lister: inout JSONLister, _ look: (JSONFastPath) -> Result?
    ) -> Result? {
        guard let nodes = unsafe JSONDocument.nodes(of: text, after: first, &lister) else { return nil }
        return unsafe nodes.withUnsafeBufferPointer { unsafe lend(text, $0, first: nodes.count, look) }
    }

    /// - Parameter count: nodes that have been written.
    @inline(__always)
    private static func lend<Result>(
        _ text: Span<UInt8>, _ nodes: UnsafeBufferPointer<JSONDocument.Node>, first count: Int,
        _ look: (JSONFastPath) -> Result?
    ) -> Result? {
        unsafe text.withUnsafeBufferPointer { text in
            unsafe look(JSONFastPath(text: text, nodes: UnsafeBufferPointer(rebasing: nodes[..<count]), index: 0))
        }
    }

    private init(text: UnsafeBufferPointer<UInt8>, nodes: UnsafeBufferPointer<JSONDocument.Node>, index: Int) {
        unsafe self.text = text
        unsafe self.nodes = nodes
        self.index = index
    }

    private var node: JSONDocument.Node { node(at: index) }

    @inline(__always)
    private func node(at index: Int) -> JSONDocument.Node {
        unsafe precondition(index >= 0 && index < nodes.count)
        return unsafe nodes[index]
    }

    var kind: JSONValue.Kind { node.kind }

    /// Where the value stands in the text, quotes and brackets included.
    var place: Range<Int> { Int(node.start)..<Int(node.end) }

    /// Where a string's content stands in the text, escapes untouched; nil for other kinds.
    var content: Range<Int>? {
        guard kind == .string else { return nil }
        return Int(node.start) + 1..<Int(node.end) - 1
    }

    /// A whole number from 0 to 99; nil for everything else, which may well be a number.
    var smallInt: Int? {
        let place = place
        guard kind == .number, place.count <= 2 else { return nil }
        let text = unsafe Span(_unsafeElements: text)
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
        let text = unsafe Span(_unsafeElements: text)
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
        return unsafe Span(_unsafeElements: text).isText(content, wanted)
    }

    /// A member's name, or a string, as it is written.
    @safe struct Name {
        fileprivate let text: UnsafeBufferPointer<UInt8>
        /// It has escapes, and may mean something else than what is written.
        let isEscaped: Bool

        /// Whether this is the name, however it is escaped.
        @inline(__always)
        func means(_ name: StaticString) -> Bool { isEscaped ? decodes(to: name) : reads(name) }

        @inline(never)
        private func decodes(to name: StaticString) -> Bool {
            unsafe JSONString.decode(Span(_unsafeElements: text)).utf8.elementsEqual(name.utf8)
        }

        /// Whether exactly this is written.
        @inline(__always)
        func reads(_ name: StaticString) -> Bool {
            unsafe Span(_unsafeElements: text).isText(0..<text.count, name)
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
        let end = Int(node.next)
        var child = index + 1
        while child < end {
            var name = unsafe Name(text: UnsafeBufferPointer(start: text.baseAddress, count: 0), isEscaped: false)
            if kind == .object {
                let key = node(at: child)
                name = unsafe Name(text: content(of: key), isEscaped: key.isEscaped)
                child += 1
            }
            guard unsafe body(name, JSONFastPath(text: text, nodes: nodes, index: child)) else { return false }
            child = Int(node(at: child).next)
        }
        return true
    }

    /// What stands between the quotes of a string.
    @inline(__always)
    private func content(of string: JSONDocument.Node) -> UnsafeBufferPointer<UInt8> {
        let (start, end) = (Int(string.start) + 1, Int(string.end) - 1)
        unsafe precondition(start <= end && end <= text.count)
        return unsafe UnsafeBufferPointer(rebasing: text[start..<end])
    }
}
