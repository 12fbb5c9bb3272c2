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
        if let best = root.member("best_of"), try best.int() > choices {
            throw .refused(
                "'best_of' greater than 'n' is not supported by this proxy.", field: "best_of",
                code: "unsupported_value")
        }
        let suffix = try root.member("suffix")?.rawString() ?? []
        prompts = try Self.prompts(root.member("prompt"), hasSuffix: !suffix.isEmpty)
        // Each prompt is a request of its own, with the suffix and the settings in it.
        guard prompts.count == 1 || (suffix.count + 4096) * prompts.count <= max(Self.mostCopied, body.count) else {
            throw .invalidRequest("'suffix' is too long for so many prompts.", field: "suffix", as: .value)
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
        let text = JSONString.decode(prompt)
        for mark in marks {
            guard let first = text.firstRange(of: mark.before),
                let middle = text[first.upperBound...].firstRange(of: mark.gap)
            else { continue }
            let rest = text[middle.upperBound...]
            let end = rest.firstRange(of: mark.end)?.lowerBound ?? rest.endIndex
            return Gap(
                before: ChatDraft.escaped(
                    String(text[..<first.lowerBound] + text[first.upperBound..<middle.lowerBound])),
                after: ChatDraft.escaped(String(rest[..<end])))
        }
        // Mistral's order: the end first.
        if text.hasPrefix("[SUFFIX]"), let middle = text.firstRange(of: "[PREFIX]") {
            return Gap(
                before: ChatDraft.escaped(String(text[middle.upperBound...])),
                after: ChatDraft.escaped(String(text.dropFirst(8)[..<middle.lowerBound])))
        }
        return nil
    }

    /// How little a reasoning model can be told to think, by what is in its name: an editor waits for nothing, and the few tokens are for the text.
    private static func leastEffort(of model: String) -> StaticString? {
        let model = model.lowercased()
        if model.contains("gpt-5") { return #""minimal""# }
        return ["gpt-oss", "grok-3-mini", "o3", "o4-mini"].contains(where: model.contains) ? #""low""# : nil
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
