import ProxyRouting

/// Reads a request to the old completions API as chat completions' requests, one for each prompt.
struct CompletionsRequest {
    let model: String
    let isStreaming: Bool
    let includesUsage: Bool
    /// A chat completion's request for each prompt.
    let chats: [[UInt8]]
    /// Escaped; they come before the text where the client wants an echo.
    let prompts: [ArraySlice<UInt8>]
    let echoes: Bool
    let wantsLogprobs: Bool
    /// Answers to each prompt.
    let choices: Int
    /// The client wants nothing said: only the echo, perhaps.
    let isSilent: Bool
    /// What stands behind the gap that is to be filled, for each prompt; nil where the text is to be continued.
    let gaps: [Gap?]

    /// A gap in a text, escaped.
    struct Gap {
        let before: ArraySlice<UInt8>
        let after: ArraySlice<UInt8>
    }

    /// Prompts in one request.
    private static let mostPrompts = 20
    private static let mostCopied = 1 << 20
    private static let mostEchoed = 64 << 20

    static let continuation: StaticString =
        "Continue the user's text exactly where it stops. Answer with the continuation only: no quotes, no code fence, no repetition of what is there already."
    static let filling: StaticString =
        "Fill the gap between the text in <prefix> and the text in <suffix>. Answer with what belongs between them only: no tags, no code fence, no repetition of either side."

    init(_ body: [UInt8]) throws(Failure) {
        let root = try RequestField(body: body)
        model = try root.model()
        isStreaming = try root.member("stream")?.bool() ?? false
        includesUsage = root.member("stream_options")?.value["include_usage"]?.bool ?? false
        echoes = try root.member("echo")?.bool() ?? false
        wantsLogprobs = root.member("logprobs") != nil
        choices = try root.member("n")?.int() ?? 1
        let limit = try root.member("max_tokens")?.int()
        if let limit, limit < 0 {
            throw .invalidRequest("'max_tokens' must be 0 or more.", field: "max_tokens", as: .value)
        }
        isSilent = limit == 0
        if let best = root.member("best_of"), try best.int() > choices {
            throw .refused(
                "'best_of' greater than 'n' is not supported by this proxy.", field: "best_of",
                code: "unsupported_value")
        }
        if echoes, choices > 1, let prompt = root.member("prompt")?.value.raw.count,
            prompt.multipliedReportingOverflow(by: choices).partialValue > Self.mostEchoed || choices > Self.mostEchoed
        {
            throw .invalidRequest("'n' is too large for an echo of so long a prompt.", field: "n", as: .value)
        }
        let suffix = try root.member("suffix")?.rawString() ?? []
        prompts = try Self.prompts(root.member("prompt"), hasSuffix: !suffix.isEmpty)
        // Each prompt is a request of its own, with the suffix and the settings in it.
        let copied = max(body.count - prompts.reduce(0) { $0 + $1.count }, 0) + 4096
        guard prompts.count == 1 || copied * prompts.count <= max(Self.mostCopied, body.count) else {
            throw .invalidRequest(
                "'prompt' has too many texts for so long a 'suffix' and so long settings: each is a request of its own. Send them one by one.",
                field: "prompt", as: .value)
        }
        var (chats, gaps): ([[UInt8]], [Gap?]) = ([], [])
        for prompt in prompts {
            let gap = suffix.isEmpty ? Self.markedGap(in: prompt) : Gap(before: prompt, after: suffix)
            gaps.append(gap)
            chats.append(
                try Self.chat(root, prompt, gap).written(
                    model: root.value["model"]?.rawString ?? [], isStreaming: isStreaming && prompts.count == 1))
        }
        (self.chats, self.gaps) = (chats, gaps)
    }

    private static func prompts(_ field: RequestField?, hasSuffix: Bool) throws(Failure) -> [ArraySlice<UInt8>] {
        guard let field else {
            guard hasSuffix else {
                throw .invalidRequest("Missing required parameter: 'prompt'.", field: "prompt", as: .missing)
            }
            return [[]]
        }
        if field.value.kind == .string { return [try field.rawString()] }
        let elements = try field.elements()
        if elements.contains(where: { $0.value.kind == .number || $0.value.kind == .array }) {
            throw .refused(
                "Prompts of token ids are not supported by this proxy, which has no model's tokenizer; send text.",
                field: "prompt", code: "unsupported_value")
        }
        guard (1...mostPrompts).contains(elements.count) else {
            throw field.invalid("must have 1 to \(mostPrompts) prompts.")
        }
        var prompts: [ArraySlice<UInt8>] = []
        for element in elements { prompts.append(try element.rawString()) }
        return prompts
    }

    /// What editors mark a gap with for models that were trained on it; a chat model must be told in words.
    private static let marks: [(before: String, gap: String, end: String)] = [
        ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"), ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"), ("<PRE>", "<SUF>", "<MID>"),
        ("<|fim_begin|>", "<|fim_hole|>", "<|fim_end|>"),
        ("<\u{FF5C}fim\u{2581}begin\u{FF5C}>", "<\u{FF5C}fim\u{2581}hole\u{FF5C}>", "<\u{FF5C}fim\u{2581}end\u{FF5C}>"),
        ("[PREFIX]", "[SUFFIX]", "[MIDDLE]"),
    ]

    private static func markedGap(in prompt: ArraySlice<UInt8>) -> Gap? {
        // Marks may be escaped in many ways.
        let text = Array(JSONString.decode(prompt).utf8)
        func escaped(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            ChatDraft.escaped(String(decoding: bytes, as: UTF8.self))
        }
        guard let (mark, first) = firstMark(in: text) else { return nil }
        let inside = first + mark.before.utf8.count
        // Mistral's order: the end first.
        if mark.before == "[SUFFIX]" {
            guard let middle = place(of: "[PREFIX]", in: text, from: inside) else { return nil }
            return Gap(before: escaped(text[(middle + 8)...]), after: escaped(text[inside..<middle]))
        }
        guard let middle = place(of: mark.gap, in: text, from: inside) else { return nil }
        let rest = middle + mark.gap.utf8.count
        let end = place(of: mark.end, in: text, from: rest) ?? text.count
        return Gap(before: escaped(text[..<first] + text[inside..<middle]), after: escaped(text[rest..<end]))
    }

    /// The mark that comes first, and where it stands.
    private static func firstMark(in text: [UInt8]) -> (mark: (before: String, gap: String, end: String), place: Int)? {
        if text.starts(with: "[SUFFIX]".utf8) { return (("[SUFFIX]", "[PREFIX]", ""), 0) }
        return marks.compactMap { mark in place(of: mark.before, in: text, from: 0).map { (mark, $0) } }.min {
            $0.1 < $1.1
        }
    }

    private static func place(of mark: String, in text: [UInt8], from start: Int) -> Int? {
        ByteSearch.firstIndex(of: Array(mark.utf8), in: text, from: start)
    }

    /// How little a reasoning model can be told to think, by what is in its name: an editor waits for nothing, and the few tokens are for the text.
    private static func leastEffort(of model: String) -> StaticString? {
        let model = model.lowercased()
        // Those that came after it, and those for other uses, have other words for it.
        if model.firstMatch(of: #/(?:^|[^a-z0-9])gpt-5(?:-mini|-nano)?(?:-20\d\d.*)?$/#) != nil { return #""minimal""# }
        let takesLow = #/(?:^|[^a-z0-9])(?:gpt-oss.*|grok-3-mini.*|o3(?:-mini)?|o4-mini)(?:-20\d\d.*)?$/#
        return model.firstMatch(of: takesLow) != nil ? #""low""# : nil
    }

    private static func chat(_ root: RequestField, _ prompt: ArraySlice<UInt8>, _ gap: Gap?) throws(Failure)
        -> ChatDraft
    {
        var draft = ChatDraft()
        let place = root.member("prompt")?.value
        if let gap {
            let text = [
                ChatDraft.escaped("<prefix>"), gap.before, ChatDraft.escaped("</prefix><suffix>"), gap.after,
                ChatDraft.escaped("</suffix>"),
            ]
            draft.messages = [
                .init(role: .system, parts: [.text([ChatDraft.escaped("\(filling)")])], source: place),
                .init(role: .user, parts: [.text(text)], source: place),
            ]
        } else {
            draft.messages = [
                .init(role: .system, parts: [.text([ChatDraft.escaped("\(continuation)")])], source: place),
                .init(role: .user, parts: [.text([prompt])], source: place),
            ]
        }
        if let effort = leastEffort(of: root.value["model"]?.string ?? "") { draft.set("reasoning_effort", effort) }
        if let limit = root.member("max_tokens") {
            draft.set("max_tokens", limit)
        } else {
            draft.set("max_tokens", "16")
        }
        for name in [
            "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "user",
        ] as [StaticString] {
            draft.set(name, root.member(name))
        }
        if let logprobs = root.member("logprobs") {
            draft.set("logprobs", "true")
            if try logprobs.int() > 0 { draft.set("top_logprobs", logprobs) }
        }
        return draft
    }
}
