/// The one choice of a Cohere stream as the client gets it: what the streams of both Cohere dialects have in common.
///
/// Cohere's streams end with the event that has the finish reason; the connection may stay open behind it (OCI wire notes,
/// section 4). `[DONE]` is understood as well.
struct SoleChoice: Sendable {
    /// What an event is before a dialect looks at what it says.
    enum Reading {
        case event(JSONValue)
        /// There is nothing left to look at.
        case done(AnswerStreamStep)
    }

    private let envelope: ChunkEnvelope
    private let includesUsage: Bool
    private var hasBegun = false
    private var isOver = false
    private var wholeCalls = 0
    private let rules: AnswerRules
    private var pieces = ToolCallAssembly()

    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0
    var oddities: Oddities { pieces.sharesIDs ? Oddities(.calls) : [] }

    init(envelope: ChunkEnvelope, includesUsage: Bool, rules: AnswerRules) {
        self.rules = rules
        pieces.hasOneCall = rules.hasOneCall
        self.envelope = envelope.prepared
        self.includesUsage = includesUsage
    }

    mutating func read(_ event: ArraySlice<UInt8>, into frames: inout [UInt8]) -> Reading {
        guard !isOver else { return .done(.complete) }
        if event.elementsEqual(("[DONE]" as StaticString).utf8) { return .done(complete(into: &frames)) }
        guard let root = try? JSONDocument(parsing: Array(event)).root, root.kind == .object else {
            unreadableEvents += 1
            return .done(.more)
        }
        if root["message"]?.kind == .string || root.present("error") != nil || root.present("code") != nil {
            return .done(.failed(OCIErrorToOpenAI.translate(event: root)))
        }
        if let counts = GenericFields.usage(root["usage"]) { usage = counts }
        return .event(root)
    }

    // MARK: Deltas

    /// - Parameter text: escaped, as all texts here; an empty one is none.
    mutating func content(_ text: ArraySlice<UInt8>, logprobs: [UInt8]? = nil, into frames: inout [UInt8]) {
        guard !text.isEmpty else { return }
        begin(&frames)
        envelope.content(text, logprobs: logprobs, choice: 0, into: &frames)
    }

    mutating func reasoning(_ text: ArraySlice<UInt8>, into frames: inout [UInt8]) {
        guard !text.isEmpty else { return }
        begin(&frames)
        envelope.reasoning(text, choice: 0, into: &frames)
    }

    /// A call that came whole and without an id.
    mutating func call(_ name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, into frames: inout [UInt8]) {
        guard !rules.hasOneCall || wholeCalls == 0 else { return }
        begin(&frames)
        let id = GenericFields.inventedCallID(answer: envelope.id, choice: 0, call: wholeCalls)
        envelope.toolCall(wholeCalls, id: id, name: name, arguments: arguments, choice: 0, into: &frames)
        wholeCalls += 1
    }

    /// A call with an id, or a piece of one.
    ///
    /// - Returns: why the answer cannot be passed on; nil when all is well.
    mutating func piece(of call: JSONValue, function: JSONValue?, into frames: inout [UInt8]) -> APIError? {
        guard !pieces.isEmpty || CohereFields.isCall(call, function: function) else { return nil }
        begin(&frames)
        let step = pieces.take(call, function: function, choice: 0, in: envelope, into: &frames)
        return step == .tooLate ? .brokenOff("it came back to a tool call that was over") : nil
    }

    private mutating func begin(_ frames: inout [UInt8]) {
        guard !hasBegun else { return }
        hasBegun = true
        envelope.role(choice: 0, into: &frames)
    }

    // MARK: The end

    /// Whether the client has got a tool call.
    private var hasCalls: Bool { wholeCalls > 0 || !pieces.isEmpty }

    /// The event with the finish reason, once its content has been passed on.
    mutating func finish(_ value: JSONValue, into frames: inout [UInt8]) -> AnswerStreamStep {
        let reason = GenericFields.finishReason(value, hasCalls: hasCalls, isEmpty: !hasBegun) ?? .stop
        // Reasoning may use up the whole budget, and a filter may leave nothing: such an answer says why it is empty.
        let mayBeSilent = reason == .length || reason == .contentFilter || reason == .stop && rules.allowsSilence(usage)
        guard hasBegun || mayBeSilent else { return .failed(GenericFields.emptyAnswer) }
        writeEnd(reason, into: &frames)
        return .complete
    }

    /// `[DONE]` without a finish reason before it; a reason may have been in an event that could not be read.
    private mutating func complete(into frames: inout [UInt8]) -> AnswerStreamStep {
        guard unreadableEvents == 0 else { return .failed(.incompleteStream) }
        guard hasBegun else { return .failed(GenericFields.emptyAnswer) }
        writeEnd(hasCalls ? .toolCalls : .stop, into: &frames)
        return .complete
    }

    private mutating func writeEnd(_ reason: FinishReason, into frames: inout [UInt8]) {
        begin(&frames)
        pieces.closeOpenCall(choice: 0, in: envelope, into: &frames)
        envelope.finish(reason, choice: 0, into: &frames)
        if includesUsage, let usage { envelope.usage(usage, into: &frames) }
        envelope.done(into: &frames)
        isOver = true
    }

    /// The upstream's body has ended.
    func end() -> APIError? { isOver ? nil : .incompleteStream }
}
