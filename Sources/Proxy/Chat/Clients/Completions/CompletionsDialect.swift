import ProxyRouting

/// A client that speaks the old completions: one prompt of its request.
final class CompletionsDialect: ClientDialect {
    let response: ResponseID
    let model: String
    let created: Int
    /// Escaped; it comes before the text.
    let echo: ArraySlice<UInt8>
    let wantsLogprobs: Bool
    let includesUsage: Bool
    let gap: CompletionsRequest.Gap?
    /// The number of the prompt's first choice.
    let firstIndex: Int
    let native: NativeRequest?

    /// - Parameter prompt: its place among those of the request.
    convenience init(
        _ request: CompletionsRequest, prompt: Int, named response: ResponseID, at created: Int,
        native: NativeRequest?
    ) {
        self.init(
            response: response, model: request.model, created: created,
            echo: request.echoes ? request.prompts[prompt] : [], wantsLogprobs: request.wantsLogprobs,
            includesUsage: request.includesUsage, gap: request.gaps[prompt], firstIndex: prompt * request.choices,
            native: native)
    }

    /// Of a request that is no chat.
    convenience init(_ native: NativeRequest, at created: Int) {
        self.init(
            response: .drawn(RandomName()), model: native.request.model, created: created, echo: [],
            wantsLogprobs: false, includesUsage: false, gap: nil, firstIndex: 0, native: native)
    }

    private init(
        response: ResponseID, model: String, created: Int, echo: ArraySlice<UInt8>, wantsLogprobs: Bool,
        includesUsage: Bool, gap: CompletionsRequest.Gap?, firstIndex: Int,
        native: NativeRequest?
    ) {
        self.response = response
        self.model = model
        self.created = created
        self.echo = echo
        self.wantsLogprobs = wantsLogprobs
        self.includesUsage = includesUsage
        self.gap = gap
        self.firstIndex = firstIndex
        self.native = native
    }

    var acceptsSilence: Bool { true }
    /// Nothing is to be put in there.
    var isSilenceAnAnswer: Bool { true }

    func stream() -> CompletionsChunks { CompletionsChunks(self) }
    func document() -> CompletionsDocument { CompletionsDocument(self) }

    func keepAlive(_ kind: KeepAliveSchedule.Reassurance, id: String?) -> [UInt8] {
        guard kind == .emptyEvent else { return KeepAliveSchedule.comment }
        var chunks = CompletionsChunks(self)
        chunks.write([], logprobs: nil, choice: 0, reason: nil)
        return chunks.bytes
    }

    func error(_ failure: Failure) -> ClientError { ClientError(OpenAIError(failure)) }
    func errorEvent(_ failure: Failure) -> [UInt8] { OpenAIError(worded(failure)).event }

    func worded(_ failure: Failure) -> Failure {
        ClientPaths(places: [], names: [("messages", "prompt"), ("top_logprobs", "logprobs")]).worded(failure)
    }

    func naming(_ model: String) -> CompletionsDialect {
        model == self.model
            ? self
            : CompletionsDialect(
                response: response, model: model, created: created, echo: echo, wantsLogprobs: wantsLogprobs,
                includesUsage: includesUsage, gap: gap, firstIndex: firstIndex, native: native)
    }
}

extension CompletionsDialect {
    /// What all events and the document begin with.
    func begin(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(response.text(prefix: "cmpl-"))
        writer.key("object")
        writer.string(literal: "text_completion")
        writer.key("created")
        writer.int(created)
        writer.key("model")
        writer.string(model)
        writer.key("choices")
    }

    static func word(_ reason: FinishReason) -> StaticString {
        switch reason {
        case .stop, .toolCalls: "stop"
        case .length, .contextWindow: "length"
        case .contentFilter: "content_filter"
        }
    }

    static func write(_ usage: TokenUsage?, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("prompt_tokens")
        writer.int(usage?.prompt ?? 0)
        writer.key("completion_tokens")
        writer.int(usage?.completion ?? 0)
        writer.key("total_tokens")
        writer.int(usage?.total ?? 0)
        writer.endObject()
    }

    /// Log probabilities in that API's form.
    ///
    /// - Parameters:
    ///   - pieces: objects in chat completions' form.
    ///   - offset: characters of the text in front of them.
    static func logprobs(_ pieces: [[UInt8]], from offset: inout Int) -> [UInt8]? {
        let tokens = pieces.compactMap { try? JSONDocument(parsing: $0).root }.flatMap { $0.elements(of: "content") }
        guard !tokens.isEmpty else { return nil }
        var (names, logprobs, tops, offsets) = ([[UInt8]](), [[UInt8]](), [[UInt8]](), [[UInt8]]())
        for token in tokens {
            let name = token.present("token")?.raw ?? Array("\"\"".utf8)[...]
            let logprob = token.present("logprob")?.raw ?? Array("0".utf8)[...]
            names.append(Array(name))
            logprobs.append(Array(logprob))
            var top = token.elements(of: "top_logprobs").map {
                (
                    $0.present("token")?.raw ?? Array("\"\"".utf8)[...],
                    $0.present("logprob")?.raw ?? Array("0".utf8)[...]
                )
            }
            if top.isEmpty { top = [(name, logprob)] }
            tops.append(
                Array("{".utf8) + top.map { $0.0 + Array(":".utf8) + $0.1 }.joined(separator: Array(",".utf8))
                    + Array("}".utf8))
            offsets.append(Array(String(offset).utf8))
            offset += token["token"]?.string?.unicodeScalars.count ?? 0
        }
        return Array(#"{"tokens":"#.utf8) + JSONWriter.array(of: names) + Array(#","token_logprobs":"#.utf8)
            + JSONWriter.array(of: logprobs)
            + Array(#","top_logprobs":"#.utf8) + JSONWriter.array(of: tops) + Array(#","text_offset":"#.utf8)
            + JSONWriter.array(of: offsets)
            + Array("}".utf8)
    }

    /// Characters of what is echoed.
    var echoLength: Int { JSONString.decode(echo).unicodeScalars.count }
}
