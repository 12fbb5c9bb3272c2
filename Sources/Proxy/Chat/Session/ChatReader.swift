import NIOCore
import ProxyRouting

/// Reads what an upstream answers to a chat, and has the client told in its own language.
enum ChatReader: Sendable {
    /// In an OCI dialect.
    case translator(Dialect, ResponseRules = ResponseRules())
    /// In chat completions, to a client of another dialect. The usual end may be all that is said where the client has named texts that end
    /// the answer.
    case chatCompletions(mayBeEmpty: Bool = false, takesSilence: Bool = false)
    /// In the client's own language, which is not chat completions. The name of the model is the client's; `onKept` is told the ids of what the upstream
    /// keeps, with the upstream's own.
    case native(ProviderDialect, model: String, onKept: (@Sendable (_ id: String, _ upstream: String) -> Void)? = nil)
    /// It speaks the client's own language, chat completions.
    case passThrough(ChatCompletionsDialect, mayBeEmpty: Bool = false)

    /// A whole answer, as the client gets it. A stream in its place is gathered into one.
    ///
    /// - Parameter upstream: its id, for messages.
    /// - Parameter meter: of what is told, where somebody is charged for it. An answer that tells its usage is not measured, unless characters are billed.
    /// - Throws: `Failure` when the document is no answer, tells of a failure, or says nothing.
    func answer(_ body: [UInt8], of upstream: String, to client: some ClientDialect, meter: TextMeter? = nil)
        throws(Failure) -> ClientResponse
    {
        do { return try document(body, of: upstream, to: client, meter) } catch {
            guard error.kind == .unusable(.otherForm) else { throw error }
            if let document = ResponseForm.document(in: body) {
                return try self.document(document, of: upstream, to: client, meter)
            }
            var answer = try gathered(body, insteadOf: error, of: upstream, to: client)
            answer.oddities.insert(.otherKind)
            if let meter, meter.isWanted(beside: answer.usage) {
                answer.told = measured(stream: body, of: upstream, to: client, meter)
            }
            return answer
        }
    }

    private func document(_ body: [UInt8], of upstream: String, to client: some ClientDialect, _ meter: TextMeter?)
        throws(Failure) -> ClientResponse
    {
        if case .passThrough(let client, let mayBeEmpty) = self {
            var answer = try PassThroughResponse.read(
                body, model: client.envelope.model, upstream: upstream, mayBeEmpty: mayBeEmpty)
            if let meter, meter.isWanted(beside: answer.usage) {
                answer.told = measured(body, of: upstream, answering: client.response, meter)
            }
            return answer
        }
        if case .native(let dialect, let model, let onKept) = self {
            return try NativeResponse.read(
                body, in: dialect, model: model, upstream: upstream, meter: meter, onKept: onKept)
        }
        guard let meter, meter.characters != nil else {
            var document = client.document()
            _ = try read(body, of: upstream, answering: client.response, into: &document)
            var answer = document.written(capacity: body.count + 256)
            if let meter, answer.usage == nil {
                answer.told = measured(body, of: upstream, answering: client.response, meter)
            }
            return answer
        }
        var document = PairedSinks(client.document(), UsageMeter(meter))
        _ = try read(body, of: upstream, answering: client.response, into: &document)
        var answer = document.first.written(capacity: body.count + 256)
        answer.told = document.second.told
        return answer
    }

    /// How much an answer that is there whole tells. It is read once more for that: nearly all tell their usage.
    private func measured(
        _ body: [UInt8], of upstream: String, answering response: ResponseID, _ meter: TextMeter
    ) -> TextMeter {
        var sink = UsageMeter(meter)
        _ = try? read(body, of: upstream, answering: response, into: &sink)
        return sink.told
    }

    /// The same of a stream.
    private func measured(
        stream body: [UInt8], of upstream: String, to client: some ClientDialect, _ meter: TextMeter
    ) -> TextMeter {
        let relay = relay(of: upstream, to: client, meter: meter)
        _ = relay.take(ByteBuffer(bytes: body)) ?? relay.end()
        return relay.told
    }

    /// A whole answer as the frames of a stream, its end included, and the token counts. A stream in its place is one already.
    ///
    /// - Parameter meter: as for `answer`.
    /// - Throws: as `answer`.
    func frames(of body: [UInt8], of upstream: String, to client: some ClientDialect, meter: TextMeter? = nil)
        throws(Failure) -> StreamedResponse
    {
        do { return try document(body, asStreamOf: upstream, to: client, meter) } catch {
            guard error.kind == .unusable(.otherForm) else { throw error }
            if let document = ResponseForm.document(in: body) {
                return try self.document(document, asStreamOf: upstream, to: client, meter)
            }
            var answer = try stream(body, insteadOf: error, of: upstream, to: client, meter)
            answer.oddities.insert(.otherKind)
            return answer
        }
    }

    /// An answer that is there whole, as a stream.
    struct StreamedResponse {
        /// With its end.
        let frames: [UInt8]
        let usage: TokenUsage?
        /// What the upstream has said oddly.
        var oddities = Oddities()
        /// How much it tells, where that has been measured.
        var told: TextMeter?
    }

    private func document(
        _ body: [UInt8], asStreamOf upstream: String, to client: some ClientDialect, _ meter: TextMeter?
    ) throws(Failure) -> StreamedResponse {
        if case .passThrough(let client, let mayBeEmpty) = self {
            let (frames, usage) = try PassThroughResponseAsStream.frames(
                of: body, upstream: upstream, in: client.envelope, includesUsage: client.includesUsage,
                mayBeEmpty: mayBeEmpty)
            var answer = StreamedResponse(frames: frames, usage: usage)
            if let meter, meter.isWanted(beside: usage) {
                answer.told = measured(body, of: upstream, answering: client.response, meter)
            }
            return answer
        }
        // Who speaks the language itself is never asked for a document in place of a stream.
        if case .native = self {
            if let root = try? JSONDocument(parsing: body).root, NativeResponse.isError(root) {
                throw ProviderErrorReader.translate(document: root, upstream: upstream)
            }
            throw PassThroughResponse.wrongKind("is a single document, but a stream was requested", upstream)
        }
        var stream = client.stream()
        stream.bytes.reserveCapacity(body.count * 2)
        guard let meter, meter.characters != nil else {
            let usage = try read(body, of: upstream, answering: client.response, into: &stream)
            var answer = StreamedResponse(frames: stream.bytes, usage: usage)
            if let meter, usage == nil {
                answer.told = measured(body, of: upstream, answering: client.response, meter)
            }
            return answer
        }
        var pair = PairedSinks(stream, UsageMeter(meter))
        let usage = try read(body, of: upstream, answering: client.response, into: &pair)
        return StreamedResponse(frames: pair.first.bytes, usage: usage, told: pair.second.told)
    }

    /// Tells a whole answer to a sink, to its end.
    ///
    /// - Returns: what it cost.
    private func read(
        _ body: [UInt8], of upstream: String, answering response: ResponseID, into sink: inout some ChatEventSink
    ) throws(Failure) -> TokenUsage? {
        switch self {
        case .translator(let dialect, let rules):
            return try dialect.read(document: body, of: response, by: rules, into: &sink)
        case .chatCompletions, .passThrough:
            var source = source(answering: response, of: upstream)
            try source.read(document: body, into: &sink)
            return source.usage
        case .native: throw .invalidAnswer("cannot be read as a chat", upstream)
        }
    }

    /// A whole stream where a document was asked for, as the client would get it.
    ///
    /// - Parameter wrongKind: what is thrown when it is no stream either.
    private func stream(
        _ body: [UInt8], insteadOf wrongKind: Failure, of upstream: String, to client: some ClientDialect,
        _ meter: TextMeter? = nil
    ) throws(Failure) -> StreamedResponse {
        // The body has ended: what is not in it is not waited for.
        let relay = relay(of: upstream, to: client, meter: meter)
        let failure = relay.take(ByteBuffer(bytes: body)) ?? relay.end()
        let frames = relay.takeFrames()
        if let failure { throw frames.isEmpty && relay.unreadableEvents > 0 ? wrongKind : failure }
        return StreamedResponse(
            frames: frames, usage: relay.usage, oddities: relay.oddities, told: meter == nil ? nil : relay.told)
    }

    /// The same, gathered into the document that was asked for.
    private func gathered(
        _ body: [UInt8], insteadOf wrongKind: Failure, of upstream: String, to client: some ClientDialect
    ) throws(Failure) -> ClientResponse {
        if let chat = client.chatCompletions {
            // What passes through has members that nobody here knows.
            let withUsage = ChatCompletionsDialect(chat.envelope, includesUsage: true)
            let told = try stream(body, insteadOf: wrongKind, of: upstream, to: withUsage)
            var answer = GatheredResponse(told.frames).answer(model: chat.envelope.model, in: chat.envelope)
            answer.oddities = told.oddities
            return answer
        }
        switch self {
        case .translator(let dialect, let rules):
            return try dialect.gather(body, of: client.response, by: rules, into: client.document(), else: wrongKind)
        case .chatCompletions, .passThrough:
            return try SourceReader.gather(
                body, by: source(answering: client.response, of: upstream), into: client.document(), else: wrongKind)
        case .native: throw wrongKind
        }
    }

    /// Of what an upstream says in chat completions' language.
    func source(answering response: ResponseID, of upstream: String, choices: Int = 1) -> OpenAIChatSource {
        var source = OpenAIChatSource(response, of: upstream, choices: choices)
        if case .chatCompletions(let mayBeEmpty, let takesSilence) = self {
            (source.mayBeEmpty, source.takesSilence) = (mayBeEmpty, takesSilence)
        }
        return source
    }

    /// What makes the client's stream of the upstream's.
    ///
    /// - Parameters:
    ///   - choices: how many were asked for.
    ///   - keepsText: another upstream may have to go on behind what has been told.
    ///   - meter: of what is told; nil where nobody is charged for it.
    ///   - hidesUsage: the upstream has been asked for its usage by the proxy alone.
    func relay(
        of upstream: String, to client: some ClientDialect, choices: Int = 1, keepsText: Bool = false,
        meter: TextMeter? = nil, hidesUsage: Bool = false
    ) -> any ResponseRelay {
        switch self {
        case .translator(let dialect, let rules) where keepsText || meter != nil:
            dialect.relay(
                of: client.response, choices: choices, by: rules,
                into: SentTextSink(client.stream(), keepsText: keepsText, meter: meter ?? TextMeter()))
        case .chatCompletions where keepsText || meter != nil:
            StreamRelay(
                source(answering: client.response, of: upstream, choices: choices),
                into: SentTextSink(client.stream(), keepsText: keepsText, meter: meter ?? TextMeter()))
        case .translator(let dialect, let rules):
            dialect.relay(of: client.response, choices: choices, by: rules, into: client.stream())
        case .chatCompletions:
            StreamRelay(source(answering: client.response, of: upstream, choices: choices), into: client.stream())
        case .native(let dialect, let model, let onKept):
            NativeRelay(
                dialect, model: model, upstream: upstream, choices: choices, keepsText: keepsText,
                hidesUsage: hidesUsage, onKept: onKept, errorEvent: { client.errorEvent($0) })
        case .passThrough(let client, let mayBeEmpty):
            PassThroughRelay(
                model: client.envelope.model, upstream: upstream, choices: choices, mayBeEmpty: mayBeEmpty,
                keepsText: keepsText, hidesUsage: hidesUsage, meter: meter ?? TextMeter())
        }
    }
}

extension TextMeter {
    /// Whether a whole answer has to be measured.
    fileprivate func isWanted(beside usage: TokenUsage?) -> Bool { usage == nil || characters != nil }
}

extension SourceReader {
    /// Tells a stream that is there whole to a sink that gathers it.
    ///
    /// - Parameter wrongKind: what is thrown when it is no stream.
    static func gather(
        _ body: [UInt8], by source: Source, into document: some ChatDocumentSink, else wrongKind: Failure
    )
        throws(Failure) -> ClientResponse
    {
        var reader = SourceReader(source)
        var document = document
        if let failure = reader.take(ByteBuffer(bytes: body), into: &document) ?? reader.end(into: &document) {
            throw reader.source.unreadableEvents > 0 ? wrongKind : failure
        }
        var answer = document.written(capacity: body.count)
        answer.oddities = reader.oddities
        return answer
    }
}
