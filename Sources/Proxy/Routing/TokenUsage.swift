/// What one answer cost, in tokens, in the arithmetic of the OpenAI API: `completion` includes reasoning.
struct TokenUsage: Equatable, Sendable {
    var prompt: Int
    var completion: Int
    var total: Int
    /// Part of `completion` that was reasoning, where the upstream says so.
    var reasoning: Int?
    /// Part of `prompt` that came from a cache, where the upstream says so.
    var cached: Int?
}

extension TokenUsage {
    /// The model has said something, if only a text at which the answer ends.
    var hasAnswer: Bool { completion > 0 }

    /// What several calls cost together. Details are dropped: only chats have them.
    static func + (one: TokenUsage, other: TokenUsage) -> TokenUsage {
        TokenUsage(
            prompt: one.prompt + other.prompt, completion: one.completion + other.completion,
            total: one.total + other.total)
    }

    /// The `usage` object.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("prompt_tokens")
        writer.int(prompt)
        writer.key("completion_tokens")
        writer.int(completion)
        writer.key("total_tokens")
        writer.int(total)
        if let reasoning {
            writer.key("completion_tokens_details")
            writer.beginObject()
            writer.key("reasoning_tokens")
            writer.int(reasoning)
            writer.endObject()
        }
        if let cached {
            writer.key("prompt_tokens_details")
            writer.beginObject()
            writer.key("cached_tokens")
            writer.int(cached)
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }
}
