import ProxyRouting

/// Writes what a model says as the chunks of a chat completion's stream.
struct ChatChunks: ChatByteSink {
    var bytes: [UInt8] = []
    private let envelope: ChunkEnvelope
    /// The client has asked for the token counts.
    private let includesUsage: Bool

    init(_ envelope: ChunkEnvelope, includesUsage: Bool) {
        self.envelope = envelope.prepared
        self.includesUsage = includesUsage
    }

    mutating func begin(choice: Int) { envelope.role(choice: choice, into: &bytes) }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        guard !escaped.isEmpty else { return }
        envelope.content(escaped, logprobs: logprobs, choice: choice, into: &bytes)
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        envelope.reasoning(escaped, choice: choice, into: &bytes)
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) {
        envelope.refusal(escaped, choice: choice, into: &bytes)
    }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        envelope.toolCall(call, id: id, name: name, arguments: arguments, choice: choice, into: &bytes)
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        envelope.arguments(escaped, of: call, choice: choice, into: &bytes)
    }

    mutating func finish(_ reason: FinishReason, choice: Int) { envelope.finish(reason, choice: choice, into: &bytes) }

    mutating func usage(_ usage: TokenUsage) {
        if includesUsage { envelope.usage(usage, into: &bytes) }
    }

    mutating func end() { envelope.done(into: &bytes) }

    mutating func fail(_ failure: Failure) { bytes += envelope.error(failure) }
}
