import ProxyRouting

/// A chat request for an upstream that speaks the OpenAI API itself: read as far as routing needs it, and otherwise left as
/// it came. What is right in it, the upstream knows best.
struct PassThroughRequest: Sendable {
    /// The name that the client sent; the last one when there are several.
    let model: String
    let isStreaming: Bool
    /// `stream_options.include_usage`.
    let includesUsage: Bool
    /// `n`, as far as it can be one.
    let choices: Int
    /// The client has named texts that end the answer: one may be the first that the model says.
    let mayBeEmpty: Bool

    /// The body.
    let received: [UInt8]
    /// Where the values of `model` stand.
    private let models: [Range<Int>]
    /// What has to change when the stream that was asked for is not asked for upstream.
    private let unstreaming: [Edit]
    /// What makes the stream end with its usage; nil where it does anyhow, or cannot.
    private let asking: Edit?

    private struct Edit: Sendable {
        let range: Range<Int>
        let replacement: StaticString
    }

    /// - Throws: `Failure` 400 when the body is no JSON object (with line and column where the text is no JSON), when
    ///   `model` is missing or no string, and when `stream` is neither true nor false: the answer's form depends on it.
    init(body: [UInt8]) throws(Failure) { try self.init(RequestField(body: body), of: body) }

    /// The same for a body that has been parsed already.
    init(_ root: RequestField, of body: [UInt8]) throws(Failure) {
        model = try root.model()
        isStreaming = try root.member("stream")?.bool() ?? false
        let options = root.value["stream_options"]
        includesUsage = options?["include_usage"]?.bool ?? false
        asking = isStreaming && !includesUsage ? Self.asking(options, in: root.value) : nil
        choices = min(max(root.member("n")?.value.int ?? 1, 1), ChoiceProgress.mostChoices)
        mayBeEmpty = root.member("stop").map { !$0.value.isHollow } ?? false
        received = body
        models = ModelMember.ranges(in: root.value)
        unstreaming = isStreaming ? Self.unstreaming(root.value) : []
    }

    /// The body for an upstream that calls the model `name`: every byte as it came, but for the values of `model`.
    ///
    /// - Parameters:
    ///   - isStreaming: nil for what the client asked for; false where that is a stream: then `stream` is false as well, and
    ///     `stream_options` is gone, since upstreams refuse it without a stream.
    ///   - asksUsage: the stream is to end with its usage, if it can (`canAskUsage`).
    func body(model name: String, isStreaming: Bool? = nil, asksUsage: Bool = false) -> SplicedText {
        if models.count == 1, !asksUsage, !self.isStreaming || isStreaming != false {
            let (before, after) = (received[..<models[0].lowerBound], received[models[0].upperBound...])
            // Nearly always: what does not stay where it is has room at once.
            var body = SplicedText(
                capacity: name.utf8.count + 2 + (before.count < SplicedText.shortestSplice ? before.count : 0)
                    + (after.count < SplicedText.shortestSplice ? after.count : 0))
            body.splice(before)
            body.append(quoted: name)
            body.splice(after)
            return body
        }
        var edits = models.map { (range: $0, bytes: ModelMember.quoted(name)) }
        if self.isStreaming, isStreaming == false {
            edits += unstreaming.map { (range: $0.range, bytes: Array($0.replacement.utf8)) }
        } else if asksUsage, let asking {
            edits.append((range: asking.range, bytes: Array(asking.replacement.utf8)))
        }
        edits.sort { $0.range.lowerBound < $1.range.lowerBound }
        var body = SplicedText()
        var rest = 0
        for edit in edits {
            body.splice(received[rest..<edit.range.lowerBound])
            body.append(contentsOf: edit.bytes)
            rest = edit.range.upperBound
        }
        body.splice(received[rest...])
        return body
    }

    /// It is a stream whose usage has not been asked for, and could be.
    var canAskUsage: Bool { asking != nil }

    /// - Parameter options: the value of `stream_options`.
    private static func asking(_ options: JSONValue?, in root: JSONValue) -> Edit? {
        guard let options else {
            // In front of all others, of which there are some.
            let place = root.raw.startIndex + 1
            return Edit(range: place..<place, replacement: #""stream_options":{"include_usage":true},"#)
        }
        switch options.kind {
        case .null: return Edit(range: options.raw.indices, replacement: #"{"include_usage":true}"#)
        case .object:
            if let value = options["include_usage"] { return Edit(range: value.raw.indices, replacement: "true") }
            let place = options.raw.startIndex + 1
            let isEmpty = options.members.first { _ in true } == nil
            return Edit(
                range: place..<place, replacement: isEmpty ? #""include_usage":true"# : #""include_usage":true,"#)
        // What is wrong with it, the upstream says.
        case .array, .string, .number, .true, .false: return nil
        }
    }

    /// - Parameter root: has a member that stays.
    private static func unstreaming(_ root: JSONValue) -> [Edit] {
        var edits: [Edit] = []
        // Members that go leave with the comma behind them, the last ones with the comma before them.
        var leavingFrom: Int?
        var staysUpTo = root.raw.startIndex + 1
        for (key, value) in root.members {
            if key.equals("stream_options") {
                leavingFrom = leavingFrom ?? key.raw.startIndex
                continue
            }
            if let start = leavingFrom { edits.append(Edit(range: start..<key.raw.startIndex, replacement: "")) }
            leavingFrom = nil
            staysUpTo = value.raw.endIndex
            if key.equals("stream") { edits.append(Edit(range: value.raw.indices, replacement: "false")) }
        }
        if leavingFrom != nil, let last = Array(root.members).last {
            edits.append(Edit(range: staysUpTo..<last.value.raw.endIndex, replacement: ""))
        }
        return edits
    }
}
