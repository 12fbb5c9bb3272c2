import ProxyRouting

/// Gathers an answer into one completion.
struct CompletionsDocument: ChatDocumentSink {
    private let answer: CompletionsDialect
    private var choices: [Int: Choice] = [:]
    private var counts: TokenUsage?

    private struct Choice {
        /// Escaped.
        var text: [UInt8] = []
        var logprobs: [[UInt8]] = []
        var reason = FinishReason.stop
        var trimmer: GapTrimmer?
    }

    init(_ answer: CompletionsDialect) { self.answer = answer }

    mutating func begin(choice: Int) {
        choices[choice] = Choice(trimmer: answer.gap.map(GapTrimmer.init))
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        choices[choice, default: Choice()].text += choices[choice]?.trimmer?.take(escaped)[...] ?? escaped
        if let logprobs { choices[choice]?.logprobs.append(logprobs) }
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {}
    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) { text(escaped, logprobs: nil, choice: choice) }
    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {}
    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {}

    mutating func finish(_ reason: FinishReason, choice: Int) {
        if let rest = choices[choice]?.trimmer?.end() { choices[choice]?.text += rest }
        choices[choice, default: Choice()].reason = reason
    }

    mutating func usage(_ usage: TokenUsage) { counts = usage }
    mutating func end() {}

    func written(capacity: Int) -> ClientResponse {
        var writer = JSONWriter(capacity: capacity)
        answer.begin(&writer)
        writer.beginArray()
        for (index, choice) in choices.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            writer.key("index")
            writer.int(answer.firstIndex + index)
            writer.key("text")
            writer.string(escaped: [answer.echo, choice.text[...]])
            writer.key("logprobs")
            var offset = answer.echoLength
            let logprobs = answer.wantsLogprobs ? CompletionsDialect.logprobs(choice.logprobs, from: &offset) : nil
            if let logprobs { writer.raw(logprobs[...]) } else { writer.null() }
            writer.key("finish_reason")
            writer.string(literal: CompletionsDialect.word(choice.reason))
            writer.endObject()
        }
        writer.endArray()
        writer.key("usage")
        CompletionsDialect.write(counts, to: &writer)
        writer.endObject()
        return ClientResponse(body: writer.bytes, usage: counts)
    }
}
