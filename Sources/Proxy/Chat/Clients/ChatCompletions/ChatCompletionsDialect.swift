import ProxyRouting

/// A client that speaks chat completions.
final class ChatCompletionsDialect: ClientDialect {
    let envelope: ChunkEnvelope
    /// The client has asked for the token counts of a stream.
    let includesUsage: Bool

    init(_ envelope: ChunkEnvelope, includesUsage: Bool = false) {
        self.envelope = envelope
        self.includesUsage = includesUsage
    }

    var response: ResponseID { envelope.response }
    var chatCompletions: ChatCompletionsDialect? { self }

    func stream() -> ChatChunks { ChatChunks(envelope, includesUsage: includesUsage) }
    func document() -> ChatDocument { ChatDocument(envelope) }

    func keepAlive(_ kind: KeepAliveSchedule.Reassurance, id: String?) -> [UInt8] {
        kind == .emptyEvent ? envelope.emptyEvent(id: id) : KeepAliveSchedule.comment
    }

    func error(_ failure: Failure) -> ClientError { ClientError(OpenAIError(failure)) }
    func errorEvent(_ failure: Failure) -> [UInt8] { envelope.error(failure) }

    func naming(_ model: String) -> ChatCompletionsDialect {
        model == envelope.model ? self : ChatCompletionsDialect(envelope.naming(model), includesUsage: includesUsage)
    }
}
