import ProxyRouting

extension TokenUsage {
    /// The counts of a `usage` object in OpenAI's form; nil when there are none.
    ///
    /// OpenAI counts reasoning inside the completion and xAI does not, so the total decides where it is known.
    init?(openAI value: JSONValue?) {
        guard let value, value.kind == .object else { return nil }
        let prompt = Self.count(value["prompt_tokens"])
        let completion = Self.count(value["completion_tokens"])
        let total = Self.count(value["total_tokens"])
        guard prompt != nil || completion != nil || total != nil else { return nil }
        let spent =
            if let total, let prompt { max(total - prompt, 0) } else { completion ?? 0 }
        self.init(
            prompt: prompt ?? max((total ?? spent) - spent, 0), completion: spent,
            total: total ?? (prompt ?? 0) + spent,
            reasoning: Self.count(value["completion_tokens_details"]?["reasoning_tokens"]),
            // DeepSeek has its own name for the second.
            cached: Self.count(value["prompt_tokens_details"]?["cached_tokens"])
                ?? Self.count(value["prompt_cache_hit_tokens"]))
    }
}
