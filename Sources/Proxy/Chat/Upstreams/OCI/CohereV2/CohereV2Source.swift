import ProxyRouting

/// Reads what a model says in the COHEREV2 format, event by event or as one document: true deltas, thinking ahead of the text (OCI wire
/// notes, 4.5). A tool plan is thinking, too.
struct CohereV2Source: ChatEventSource {
    private var choice: SingleChoiceStream
    private var hasThought = false
    private var hasPlan = false

    init(_ response: ResponseID, rules: ResponseRules = ResponseRules()) {
        choice = SingleChoiceStream(response, rules: rules)
    }

    var usage: TokenUsage? { choice.usage }
    var unreadableEvents: Int { choice.unreadableEvents }
    var oddities: Oddities { choice.oddities }

    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> ChatStreamStep {
        let root: JSONValue
        switch choice.read(event, into: &sink) {
        case .done(let step): return step
        case .event(let value): root = value
        }
        return take(root, finish: CohereFields.finishReason(of: root), into: &sink)
    }

    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        let response = try CohereFields.chatResponse(body, with: ["message", "finishReason"])
        if let failure = choice.note(response) { throw failure }
        // A whole answer has the form of a stream's last event. A reason that is missing says as little as the usual one.
        if case .failed(let failure) = take(
            response, finish: CohereFields.finishReason(of: response) ?? .whole, into: &sink)
        {
            throw failure
        }
    }

    private mutating func take(_ root: JSONValue, finish: FinishWord?, into sink: inout some ChatEventSink)
        -> ChatStreamStep
    {
        if let failure = CohereFields.failure(of: root) { return .failed(failure) }
        if let message = root["message"], let failure = take(message, logprobs: root["logProbabilities"], into: &sink) {
            return .failed(failure)
        }
        guard let finish else { return .more }
        return choice.finish(finish, into: &sink)
    }

    func end(into sink: inout some ChatEventSink) -> Failure? { choice.end() }

    private mutating func take(_ message: JSONValue, logprobs: JSONValue?, into sink: inout some ChatEventSink)
        -> Failure?
    {
        let parts = message.elements(of: "content")
        for part in parts {
            guard let thought = part["thinking"]?.rawString, !thought.isEmpty else { continue }
            hasThought = true
            choice.reasoning(thought, into: &sink)
        }
        if let plan = message["toolPlan"]?.rawString, !plan.isEmpty {
            // A plan begins a line of its own.
            choice.reasoning(hasThought && !hasPlan ? CohereFields.newline + plan : plan, into: &sink)
            hasPlan = true
        }
        // They belong to the event, not to each of its parts.
        var logprobs = CohereFields.logprobs(logprobs)
        for part in parts {
            guard let text = part["text"]?.rawString, !text.isEmpty else { continue }
            choice.content(text, logprobs: logprobs.take(), into: &sink)
        }
        for call in message.elements(of: "toolCalls") {
            if let failure = choice.piece(of: call, function: call.present("function"), into: &sink) { return failure }
        }
        return nil
    }
}
