/// Reads what an upstream answers to a chat.
enum ChatReader: Sendable {
    case translator(Dialect)
    /// It speaks the client's own language. The name of the model is the client's.
    case passThrough(model: String)

    /// A whole answer, in the OpenAI form.
    ///
    /// - Parameter upstream: its id, for messages.
    /// - Throws: `APIError` 502 when the document is no answer, tells of a failure, or says nothing.
    func answer(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(APIError) -> OpenAIAnswer {
        switch self {
        case .translator(let dialect): try dialect.answer(body, in: envelope)
        case .passThrough(let model): try PassThroughAnswer.read(body, model: model, upstream: upstream)
        }
    }

    /// A whole answer as the frames of a stream, `[DONE]` included, and the token counts.
    ///
    /// - Throws: as `answer`.
    func frames(
        of body: [UInt8], of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool
    ) throws(APIError) -> (frames: [UInt8], usage: TokenUsage?) {
        switch self {
        case .translator(let dialect): try dialect.frames(of: body, in: envelope, includesUsage: includesUsage)
        case .passThrough(let model):
            try PassThroughAnswerAsStream.frames(of: body, model: model, upstream: upstream, in: envelope, includesUsage: includesUsage)
        }
    }

    /// What makes the client's stream of the upstream's.
    func relay(of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool) -> any AnswerRelay {
        switch self {
        case .translator(let dialect): StreamRelay(dialect.stream(in: envelope, includesUsage: includesUsage))
        case .passThrough(let model): PassThroughRelay(model: model, upstream: upstream)
        }
    }
}
