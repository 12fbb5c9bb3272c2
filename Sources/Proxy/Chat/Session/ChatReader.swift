import NIOCore
import ProxyRouting

/// Reads what an upstream answers to a chat.
enum ChatReader: Sendable {
    /// In an OCI dialect.
    case translator(Dialect, ResponseRules = ResponseRules())
    /// It speaks the client's own language. The name of the model is the client's; the usual end may be all that is said where the client has
    /// named texts that end the answer.
    case passThrough(model: String, mayBeEmpty: Bool = false)

    /// A whole answer, in the OpenAI form. A stream in its place is gathered into one.
    ///
    /// - Parameter upstream: its id, for messages.
    /// - Throws: `Failure` when the document is no answer, tells of a failure, or says nothing.
    func answer(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(Failure) -> OpenAIResponse {
        do { return try document(body, of: upstream, in: envelope) } catch {
            guard error.kind == .unusable(.otherForm) else { throw error }
            if let document = ResponseForm.document(in: body) {
                return try self.document(document, of: upstream, in: envelope)
            }
            var answer = try gathered(body, insteadOf: error, of: upstream, in: envelope)
            answer.oddities.insert(.otherKind)
            return answer
        }
    }

    private func document(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(Failure)
        -> OpenAIResponse
    {
        switch self {
        case .translator(let dialect, let rules):
            var document = ChatDocument(envelope)
            _ = try dialect.read(document: body, of: envelope.response, by: rules, into: &document)
            return document.written(capacity: body.count + 256)
        case .passThrough(let model, let mayBeEmpty):
            return try PassThroughResponse.read(body, model: model, upstream: upstream, mayBeEmpty: mayBeEmpty)
        }
    }

    /// A whole answer as the frames of a stream, `[DONE]` included, and the token counts. A stream in its place is one already.
    ///
    /// - Throws: as `answer`.
    func frames(of body: [UInt8], of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool) throws(Failure)
        -> StreamedResponse
    {
        do { return try document(body, asStreamOf: upstream, in: envelope, includesUsage: includesUsage) } catch {
            guard error.kind == .unusable(.otherForm) else { throw error }
            if let document = ResponseForm.document(in: body) {
                return try self.document(document, asStreamOf: upstream, in: envelope, includesUsage: includesUsage)
            }
            var answer = try stream(body, insteadOf: error, of: upstream, in: envelope, includesUsage: includesUsage)
            answer.oddities.insert(.otherKind)
            return answer
        }
    }

    /// An answer that is there whole, as a stream.
    struct StreamedResponse {
        /// With `[DONE]`.
        let frames: [UInt8]
        let usage: TokenUsage?
        /// What the upstream has said oddly.
        var oddities = Oddities()
    }

    private func document(
        _ body: [UInt8], asStreamOf upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool
    ) throws(Failure) -> StreamedResponse {
        switch self {
        case .translator(let dialect, let rules):
            var chunks = ChatChunks(envelope, includesUsage: includesUsage)
            chunks.bytes.reserveCapacity(body.count * 2)
            let usage = try dialect.read(document: body, of: envelope.response, by: rules, into: &chunks)
            return StreamedResponse(frames: chunks.bytes, usage: usage)
        case .passThrough(let model, let mayBeEmpty):
            let (frames, usage) = try PassThroughResponseAsStream.frames(
                of: body, model: model, upstream: upstream, in: envelope, includesUsage: includesUsage,
                mayBeEmpty: mayBeEmpty)
            return StreamedResponse(frames: frames, usage: usage)
        }
    }

    /// A whole stream where a document was asked for, as the client would get it.
    ///
    /// - Parameter wrongKind: what is thrown when it is no stream either.
    private func stream(
        _ body: [UInt8], insteadOf wrongKind: Failure, of upstream: String, in envelope: ChunkEnvelope,
        includesUsage: Bool
    ) throws(Failure) -> StreamedResponse {
        // The body has ended: what is not in it is not waited for.
        let relay = relay(of: upstream, in: envelope, includesUsage: includesUsage, choices: 1)
        let failure = relay.take(ByteBuffer(bytes: body)) ?? relay.end()
        let frames = relay.takeFrames()
        if let failure { throw frames.isEmpty && relay.unreadableEvents > 0 ? wrongKind : failure }
        return StreamedResponse(frames: frames, usage: relay.usage, oddities: relay.oddities)
    }

    /// The same, gathered into the document that was asked for.
    private func gathered(
        _ body: [UInt8], insteadOf wrongKind: Failure, of upstream: String, in envelope: ChunkEnvelope
    ) throws(Failure) -> OpenAIResponse {
        let told = try stream(body, insteadOf: wrongKind, of: upstream, in: envelope, includesUsage: true)
        var answer = GatheredResponse(told.frames).answer(model: envelope.model, in: envelope)
        answer.oddities = told.oddities
        return answer
    }

    /// What makes the client's stream of the upstream's.
    ///
    /// - Parameter choices: how many were asked for.
    func relay(of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1)
        -> any ResponseRelay
    {
        switch self {
        case .translator(let dialect, let rules):
            dialect.relay(
                of: envelope.response, choices: choices, by: rules,
                into: ChatChunks(envelope, includesUsage: includesUsage))
        case .passThrough(let model, let mayBeEmpty):
            PassThroughRelay(model: model, upstream: upstream, choices: choices, mayBeEmpty: mayBeEmpty)
        }
    }
}
