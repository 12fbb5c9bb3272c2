import ProxyRouting

extension TokenUsage {
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
