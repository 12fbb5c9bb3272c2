import NIOCore

/// Reads what an upstream answers to a chat.
enum ChatReader: Sendable {
    /// In an OCI dialect.
    case translator(Dialect, AnswerRules = AnswerRules())
    /// It speaks the client's own language. The name of the model is the client's; the usual end may be all that is said where the client has
    /// named texts that end the answer.
    case passThrough(model: String, mayBeEmpty: Bool = false)

    /// A whole answer, in the OpenAI form. A stream in its place is gathered into one.
    ///
    /// - Parameter upstream: its id, for messages.
    /// - Throws: `APIError` 502 when the document is no answer, tells of a failure, or says nothing.
    func answer(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(APIError) -> OpenAIAnswer {
        do { return try document(body, of: upstream, in: envelope) } catch {
            guard error.kind == .wrongKind else { throw error }
            if let document = AnswerForm.document(in: body) { return try self.document(document, of: upstream, in: envelope) }
            let told = try stream(body, insteadOf: error, of: upstream, in: envelope, includesUsage: true)
            var answer = GatheredAnswer(told.frames).answer(model: envelope.model, in: envelope)
            answer.oddities = told.oddities
            answer.oddities.insert(.otherKind)
            return answer
        }
    }

    private func document(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(APIError) -> OpenAIAnswer {
        switch self {
        case .translator(let dialect, let rules): try dialect.answer(body, in: envelope, rules: rules)
        case .passThrough(let model, let mayBeEmpty): try PassThroughAnswer.read(body, model: model, upstream: upstream, mayBeEmpty: mayBeEmpty)
        }
    }

    /// A whole answer as the frames of a stream, `[DONE]` included, and the token counts. A stream in its place is one already.
    ///
    /// - Throws: as `answer`.
    func frames(of body: [UInt8], of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool) throws(APIError) -> ToldAnswer {
        do { return try document(body, asStreamOf: upstream, in: envelope, includesUsage: includesUsage) } catch {
            guard error.kind == .wrongKind else { throw error }
            if let document = AnswerForm.document(in: body) {
                return try self.document(document, asStreamOf: upstream, in: envelope, includesUsage: includesUsage)
            }
            var answer = try stream(body, insteadOf: error, of: upstream, in: envelope, includesUsage: includesUsage)
            answer.oddities.insert(.otherKind)
            return answer
        }
    }

    /// An answer that is there whole, as a stream.
    struct ToldAnswer {
        /// With `[DONE]`.
        let frames: [UInt8]
        let usage: TokenUsage?
        /// What the upstream has said oddly.
        var oddities: Oddities = []
    }

    /// A whole stream where a document was asked for, as the client would get it.
    ///
    /// - Parameter wrongKind: what is thrown when it is no stream either.
    private func stream(
        _ body: [UInt8], insteadOf wrongKind: APIError, of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool
    ) throws(APIError) -> ToldAnswer {
        // The body has ended: what is not in it is not waited for.
        let relay = relay(of: upstream, in: envelope, includesUsage: includesUsage, choices: 1)
        let failure = relay.take(ByteBuffer(bytes: body)) ?? relay.end()
        let frames = relay.takeFrames()
        if let failure { throw frames.isEmpty && relay.unreadableEvents > 0 ? wrongKind : failure }
        return ToldAnswer(frames: frames, usage: relay.usage, oddities: relay.oddities)
    }

    private func document(
        _ body: [UInt8], asStreamOf upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool
    ) throws(APIError) -> ToldAnswer {
        let (frames, usage) =
            switch self {
            case .translator(let dialect, let rules): try dialect.frames(of: body, in: envelope, includesUsage: includesUsage, rules: rules)
            case .passThrough(let model, let mayBeEmpty):
                try PassThroughAnswerAsStream.frames(
                    of: body, model: model, upstream: upstream, in: envelope, includesUsage: includesUsage, mayBeEmpty: mayBeEmpty)
            }
        return ToldAnswer(frames: frames, usage: usage)
    }

    /// What makes the client's stream of the upstream's.
    ///
    /// - Parameter choices: how many were asked for.
    func relay(of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1) -> any AnswerRelay {
        switch self {
        case .translator(let dialect, let rules): StreamRelay(dialect.stream(in: envelope, includesUsage: includesUsage, choices: choices, rules: rules))
        case .passThrough(let model, let mayBeEmpty): PassThroughRelay(model: model, upstream: upstream, choices: choices, mayBeEmpty: mayBeEmpty)
        }
    }
}
