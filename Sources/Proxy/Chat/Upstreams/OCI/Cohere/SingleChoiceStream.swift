import ProxyRouting

/// The one choice of a Cohere stream as the client gets it: what the streams of both Cohere dialects have in common.
///
/// Cohere's streams end with the event that has the finish reason; the connection may stay open behind it (OCI wire notes,
/// section 4). `[DONE]` is understood as well.
struct SingleChoiceStream: Sendable {
    /// What an event is before a dialect looks at what it says.
    enum Reading {
        case event(JSONValue)
        /// There is nothing left to look at.
        case done(ChatStreamStep)
    }

    private let response: ResponseID
    private var hasBegun = false
    private var isOver = false
    private var wholeCalls = 0
    private let rules: ResponseRules
    private var pieces = ToolCallAssembly()

    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0
    var oddities: Oddities { pieces.sharesIDs ? Oddities(.calls) : Oddities() }

    init(_ response: ResponseID, rules: ResponseRules) {
        self.rules = rules
        pieces.hasOneCall = rules.hasOneCall
        self.response = response
    }

    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> Reading {
        guard !isOver else { return .done(.complete) }
        if event.elementsEqual(("[DONE]" as StaticString).utf8) { return .done(complete(into: &sink)) }
        guard let root = try? JSONDocument(parsing: Array(event)).root, root.kind == .object else {
            unreadableEvents += 1
            return .done(.more)
        }
        if let failure = note(root) { return .done(.failed(failure)) }
        return .event(root)
    }

    /// Takes down what every event, and every whole answer, may say.
    ///
    /// - Returns: the failure of which it tells.
    mutating func note(_ root: JSONValue) -> Failure? {
        if root["message"]?.kind == .string || root.present("error") != nil || root.present("code") != nil {
            return OCIErrorReader.translate(event: root)
        }
        if let counts = TokenUsage(oci: root["usage"]) { usage = counts }
        return nil
    }

    // MARK: Deltas

    /// - Parameter text: escaped, as all texts here; an empty one is none.
    mutating func content(_ text: ArraySlice<UInt8>, logprobs: [UInt8]? = nil, into sink: inout some ChatEventSink) {
        guard !text.isEmpty else { return }
        begin(&sink)
        sink.text(text, logprobs: logprobs, choice: 0)
    }

    mutating func reasoning(_ text: ArraySlice<UInt8>, into sink: inout some ChatEventSink) {
        guard !text.isEmpty else { return }
        begin(&sink)
        sink.reasoning(text, choice: 0)
    }

    /// A call that came whole and without an id.
    mutating func call(_ name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, into sink: inout some ChatEventSink) {
        guard !rules.hasOneCall || wholeCalls == 0 else { return }
        begin(&sink)
        sink.toolCall(
            wholeCalls, id: response.inventedCallID(choice: 0, call: wholeCalls), name: name, arguments: arguments,
            choice: 0)
        wholeCalls += 1
    }

    /// A call with an id, or a piece of one.
    ///
    /// - Returns: why the answer cannot be passed on; nil when all is well.
    mutating func piece(of call: JSONValue, function: JSONValue?, into sink: inout some ChatEventSink) -> Failure? {
        guard !pieces.isEmpty || CohereFields.isCall(call, function: function) else { return nil }
        begin(&sink)
        let step = pieces.take(call, function: function, choice: 0, of: response, into: &sink)
        return step == .tooLate ? .brokenOff("it continued a tool call that was complete") : nil
    }

    private mutating func begin(_ sink: inout some ChatEventSink) {
        guard !hasBegun else { return }
        hasBegun = true
        sink.begin(choice: 0)
    }

    // MARK: The end

    /// Whether the client has got a tool call.
    private var hasCalls: Bool { wholeCalls > 0 || !pieces.isEmpty }

    /// The event with the finish reason, once its content has been passed on.
    mutating func finish(_ word: FinishWord, into sink: inout some ChatEventSink) -> ChatStreamStep {
        let reason = GenericFields.finishReason(word, hasCalls: hasCalls, isEmpty: !hasBegun) ?? .stop
        // Reasoning may use up the whole budget, and a filter may leave nothing: such an answer says why it is empty.
        let mayBeSilent = reason.isLimit || reason == .contentFilter || reason == .stop && rules.allowsSilence(usage)
        guard hasBegun || mayBeSilent else { return .failed(.emptyAnswer) }
        writeEnd(reason, into: &sink)
        return .complete
    }

    /// `[DONE]` without a finish reason before it; a reason may have been in an event that could not be read.
    private mutating func complete(into sink: inout some ChatEventSink) -> ChatStreamStep {
        guard unreadableEvents == 0 else { return .failed(.incompleteStream) }
        guard hasBegun else { return .failed(.emptyAnswer) }
        writeEnd(hasCalls ? .toolCalls : .stop, into: &sink)
        return .complete
    }

    private mutating func writeEnd(_ reason: FinishReason, into sink: inout some ChatEventSink) {
        begin(&sink)
        pieces.closeOpenCall(choice: 0, into: &sink)
        sink.finish(reason, choice: 0)
        if let usage { sink.usage(usage) }
        sink.end()
        isOver = true
    }

    /// The upstream's body has ended.
    func end() -> Failure? { isOver ? nil : .incompleteStream }
}
