import ProxyRouting

extension TokenUsage {
    /// The counts of a `usage` object in OpenAI's form; nil when there are none.
    ///
    /// OpenAI counts reasoning inside the completion and xAI does not, so the total decides where it is known.
    init?(openAI value: JSONValue?) {
        guard let value, value.kind == .object else { return nil }
        var (prompt, completion, total): (Int?, Int?, Int?)
        var (reasoning, cached, cacheHits, cacheWrites): (Int?, Int?, Int?, Int?)
        // One walk: of a member that is there twice the last one counts, as everywhere.
        for (name, value) in value.members {
            if name.equals("prompt_tokens") {
                prompt = Self.count(value)
            } else if name.equals("completion_tokens") {
                completion = Self.count(value)
            } else if name.equals("total_tokens") {
                total = Self.count(value)
            } else if name.equals("completion_tokens_details") {
                reasoning = Self.count(value["reasoning_tokens"])
            } else if name.equals("prompt_tokens_details") {
                cached = Self.count(value["cached_tokens"])
                cacheWrites = Self.count(value["cache_write_tokens"])
            } else if name.equals("prompt_cache_hit_tokens") {
                // DeepSeek's own name.
                cacheHits = Self.count(value)
            }
        }
        guard prompt != nil || completion != nil || total != nil else { return nil }
        let spent =
            if let total, let prompt { max(total - prompt, 0) } else { completion ?? 0 }
        self.init(
            prompt: prompt ?? max((total ?? spent) - spent, 0), completion: spent,
            total: total ?? (prompt ?? 0) + spent,
            reasoning: reasoning, cached: cached ?? cacheHits, cacheWrites: cacheWrites)
    }
}
