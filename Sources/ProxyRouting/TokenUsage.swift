/// What one answer cost, in tokens, in the arithmetic of the OpenAI API: `completion` includes reasoning.
package struct TokenUsage: Equatable, Sendable {
    package var prompt: Int
    package var completion: Int
    package var total: Int
    /// Part of `completion` that was reasoning, where the upstream says so.
    package var reasoning: Int?
    /// Part of `prompt` that came from a cache, where the upstream says so.
    package var cached: Int?
    /// Part of `prompt` that has been put into a cache, where the upstream says so.
    package var cacheWrites: Int?

    package init(
        prompt: Int, completion: Int, total: Int, reasoning: Int? = nil, cached: Int? = nil, cacheWrites: Int? = nil
    ) {
        self.prompt = prompt
        self.completion = completion
        self.total = total
        self.reasoning = reasoning
        self.cached = cached
        self.cacheWrites = cacheWrites
    }
}

extension TokenUsage {
    /// The model has said something, if only a text at which the answer ends.
    package var hasAnswer: Bool { completion > 0 }

    /// What several calls cost together. Details are dropped: only chats have them.
    package static func + (one: TokenUsage, other: TokenUsage) -> TokenUsage {
        TokenUsage(
            prompt: one.prompt + other.prompt, completion: one.completion + other.completion,
            total: one.total + other.total)
    }
}
