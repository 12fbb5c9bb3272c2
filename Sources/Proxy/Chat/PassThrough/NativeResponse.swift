import ProxyRouting

/// A whole answer of an upstream that speaks the client's language: it passes as it is, but for the model's name.
enum NativeResponse {
    /// - Parameter meter: takes down how much it tells, where it does not tell its usage; nil where nobody is charged for it.
    /// - Parameter onKept: is told the ids of a response and of its items, with the upstream's.
    /// - Throws: `Failure` when it is no answer, or an error in place of one.
    static func read(
        _ body: [UInt8], in dialect: ProviderDialect, model: String, upstream: String,
        meter: TextMeter? = nil, onKept: ((_ id: String, _ upstream: String) -> Void)? = nil
    ) throws(Failure) -> ClientResponse {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else {
            throw .invalidAnswer("is not JSON", upstream)
        }
        if isError(root) {
            throw ProviderErrorReader.translate(document: root, upstream: upstream)
        }
        let isAnswer =
            switch dialect {
            case .messages: root["content"]?.kind == .array
            case .responses: root["output"]?.kind == .array
            case .completions, .chat: root["choices"]?.kind == .array
            }
        guard isAnswer else { throw .invalidAnswer("is not a response of the \(dialect.rawValue) API", upstream) }
        if let onKept {
            for id in [root["id"]] + root.elements(of: "output").map({ $0["id"] }) {
                if let id = id?.string { onKept(id, upstream) }
            }
        }
        let usage =
            switch dialect {
            case .messages: TokenUsage(messages: root["usage"], beside: nil)
            case .responses: TokenUsage(responses: root["usage"])
            case .completions, .chat: TokenUsage(openAI: root["usage"])
            }
        var answer = ClientResponse(body: ModelMember.replace(in: body, parsed: root, with: model), usage: usage)
        if usage == nil, let meter { answer.told = measured(root, in: dialect, meter) }
        return answer
    }

    /// How much it tells: what a stream of it would bring in its events.
    private static func measured(_ root: JSONValue, in dialect: ProviderDialect, _ meter: TextMeter) -> TextMeter {
        var told = meter
        func take(_ names: [StaticString], of value: JSONValue) {
            for name in names { if let text = value[name]?.rawString { told.take(text) } }
        }
        switch dialect {
        case .messages:
            for block in root.elements(of: "content") {
                take(["text", "thinking"], of: block)
                // A stream has it in texts, where its quotes are escaped.
                if let input = block["input"]?.raw {
                    told.take(bytes: input.count + input.count { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
                }
            }
        case .responses:
            for item in root.elements(of: "output") {
                take(["arguments", "input", "code"], of: item)
                for part in item.elements(of: "content") { take(["text", "refusal"], of: part) }
                for part in item.elements(of: "summary") { take(["text"], of: part) }
            }
        case .completions, .chat: for choice in root.elements(of: "choices") { take(["text"], of: choice) }
        }
        return told
    }

    /// Whether the document tells of a failure in place of an answer.
    static func isError(_ root: JSONValue) -> Bool {
        root["type"]?.equals("error") == true || root.present("error") != nil && root["object"] == nil
    }
}

extension TokenUsage {
    /// The counts of a `usage` object of Anthropic's; those of a stream come in two events.
    init?(messages value: JSONValue?, beside known: TokenUsage?) {
        guard let value, value.kind == .object else { return nil }
        func count(_ name: StaticString) -> Int? { Self.count(value[name]) }
        let cached = count("cache_read_input_tokens") ?? known?.cached
        let written = count("cache_creation_input_tokens") ?? known?.cacheWrites
        let input = count("input_tokens").map { $0 + (cached ?? 0) + (written ?? 0) } ?? known?.prompt
        let output = count("output_tokens") ?? known?.completion
        guard input != nil || output != nil else { return nil }
        self.init(
            prompt: input ?? 0, completion: output ?? 0, total: (input ?? 0) + (output ?? 0), cached: cached,
            cacheWrites: written)
    }

    /// The counts of a `usage` object of the Responses API.
    init?(responses value: JSONValue?) {
        guard let value, value.kind == .object else { return nil }
        let input = Self.count(value["input_tokens"])
        let output = Self.count(value["output_tokens"])
        guard input != nil || output != nil else { return nil }
        self.init(
            prompt: input ?? 0, completion: output ?? 0,
            total: Self.count(value["total_tokens"]) ?? (input ?? 0) + (output ?? 0),
            reasoning: Self.count(value["output_tokens_details"]?["reasoning_tokens"]),
            cached: Self.count(value["input_tokens_details"]?["cached_tokens"]))
    }
}
