import ProxyRouting

/// Writes an answer as the events of a completion's stream.
struct CompletionsChunks: ChatByteSink {
    var bytes: [UInt8] = []
    var tellsReasoning: Bool { false }
    private let answer: CompletionsDialect
    /// By choice: what it has come to.
    private var choices: [Int: Choice] = [:]

    private struct Choice {
        var hasEchoed = false
        var offset: Int
        var trimmer: GapTrimmer?
    }

    init(_ answer: CompletionsDialect) { self.answer = answer }

    mutating func begin(choice: Int) {
        choices[choice] = Choice(offset: answer.echoLength, trimmer: answer.gap.map(GapTrimmer.init))
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        var text = escaped
        if let trimmed = choices[choice]?.trimmer?.take(escaped) { text = trimmed[...] }
        guard !text.isEmpty || logprobs != nil else { return }
        tell(text, logprobs, choice)
    }

    private mutating func tell(_ text: ArraySlice<UInt8>, _ logprobs: [UInt8]?, _ choice: Int) {
        var state = choices[choice] ?? Choice(offset: answer.echoLength)
        let written = logprobs.flatMap { piece in
            answer.wantsLogprobs ? CompletionsDialect.logprobs([piece], from: &state.offset) : nil
        }
        let echo = state.hasEchoed ? [] : answer.echo
        state.hasEchoed = true
        choices[choice] = state
        write([echo, text], logprobs: written, choice: choice, reason: nil)
    }

    // Nothing of it belongs into a text.
    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {}
    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) { text(escaped, logprobs: nil, choice: choice) }
    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {}
    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {}

    mutating func finish(_ reason: FinishReason, choice: Int) {
        if let rest = choices[choice]?.trimmer?.end(), !rest.isEmpty { tell(rest[...], nil, choice) }
        let echo = choices[choice]?.hasEchoed == true ? [] : answer.echo
        write([echo], logprobs: nil, choice: choice, reason: CompletionsDialect.word(reason))
    }

    mutating func usage(_ usage: TokenUsage) {
        guard answer.includesUsage else { return }
        var writer = JSONWriter(capacity: 256)
        answer.begin(&writer)
        writer.beginArray()
        writer.endArray()
        writer.key("usage")
        CompletionsDialect.write(usage, to: &writer)
        writer.endObject()
        event(writer.bytes)
    }

    mutating func end() { bytes.append(literal: "data: [DONE]\n\n") }
    mutating func fail(_ failure: Failure) { bytes += answer.errorEvent(failure) }

    /// An event of one choice.
    mutating func write(_ text: [ArraySlice<UInt8>], logprobs: [UInt8]?, choice: Int, reason: StaticString?) {
        var writer = JSONWriter(capacity: text.reduce(256) { $0 + $1.count })
        answer.begin(&writer)
        writer.beginArray()
        writer.beginObject()
        writer.key("index")
        writer.int(answer.firstIndex + choice)
        writer.key("text")
        writer.string(escaped: text)
        writer.key("logprobs")
        if let logprobs { writer.raw(logprobs[...]) } else { writer.null() }
        writer.key("finish_reason")
        if let reason { writer.string(literal: reason) } else { writer.null() }
        writer.endObject()
        writer.endArray()
        writer.endObject()
        event(writer.bytes)
    }

    private mutating func event(_ data: [UInt8]) {
        bytes.append(literal: "data: ")
        bytes.append(contentsOf: data)
        bytes.append(literal: "\n\n")
    }
}
