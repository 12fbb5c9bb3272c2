/// Translates the events of a COHEREV2 stream into chunks, one at a time: true deltas, thinking ahead of the text (OCI wire
/// notes, 4.5). A tool plan is thinking, too.
struct CohereV2Stream: AnswerStream {
    private var choice: SoleChoice
    private var hasThought = false
    private var hasPlan = false

    init(envelope: ChunkEnvelope, includesUsage: Bool, rules: AnswerRules = AnswerRules()) {
        choice = SoleChoice(envelope: envelope, includesUsage: includesUsage, rules: rules)
    }

    var usage: TokenUsage? { choice.usage }
    var unreadableEvents: Int { choice.unreadableEvents }
    var oddities: Oddities { choice.oddities }

    mutating func translate(_ event: ArraySlice<UInt8>, into frames: inout [UInt8]) -> AnswerStreamStep {
        let root: JSONValue
        switch choice.read(event, into: &frames) {
        case .done(let step): return step
        case .event(let value): root = value
        }
        if let failure = CohereFields.failure(of: root) { return .failed(failure) }
        if let message = root["message"], let failure = take(message, logprobs: root["logProbabilities"], into: &frames) {
            return .failed(failure)
        }
        guard let finish = CohereFields.finishReason(of: root) else { return .more }
        return choice.finish(finish, into: &frames)
    }

    mutating func end(into frames: inout [UInt8]) -> APIError? { choice.end() }

    private mutating func take(_ message: JSONValue, logprobs: JSONValue?, into frames: inout [UInt8]) -> APIError? {
        let parts = message.elements(of: "content")
        for part in parts {
            guard let thought = part["thinking"]?.rawString, !thought.isEmpty else { continue }
            hasThought = true
            choice.reasoning(thought, into: &frames)
        }
        if let plan = message["toolPlan"]?.rawString, !plan.isEmpty {
            // A plan begins a line of its own.
            choice.reasoning(hasThought && !hasPlan ? CohereFields.newline + plan : plan, into: &frames)
            hasPlan = true
        }
        // They belong to the event, not to each of its parts.
        var logprobs = CohereFields.logprobs(logprobs)
        for part in parts {
            guard let text = part["text"]?.rawString, !text.isEmpty else { continue }
            choice.content(text, logprobs: logprobs.take(), into: &frames)
        }
        for call in message.elements(of: "toolCalls") {
            if let failure = choice.piece(of: call, function: call.present("function"), into: &frames) { return failure }
        }
        return nil
    }
}
