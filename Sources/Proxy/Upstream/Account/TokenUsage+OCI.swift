import ProxyRouting

extension TokenUsage {
    /// The counts of a `usage` object in OCI's form; nil when there are none.
    ///
    /// OpenAI counts reasoning inside the completion, xAI on OCI does not and Gemini may leave the count out, so the total decides where it is known
    /// (OCI wire notes, 3.3).
    init?(oci value: JSONValue?) {
        guard let value, value.kind == .object else { return nil }
        let prompt = Self.count(value["promptTokens"])
        let total = Self.count(value["totalTokens"])
        let completion = Self.count(value["completionTokens"])
        guard prompt != nil || total != nil || completion != nil else { return nil }
        let spent =
            if let total, let prompt { max(total - prompt, 0) } else { completion ?? 0 }
        self.init(
            prompt: prompt ?? max((total ?? spent) - spent, 0), completion: spent,
            total: total ?? (prompt ?? 0) + spent,
            reasoning: Self.count(value["completionTokensDetails"]?["reasoningTokens"]),
            cached: Self.count(value["promptTokensDetails"]?["cachedTokens"]))
    }

    /// A number of tokens. What cannot be one (negative, or beyond 2^40) is unknown: the sums above and those of the statistics must not overflow
    /// whatever an upstream writes.
    static func count(_ value: JSONValue?) -> Int? {
        value?.int.flatMap { (0...1 << 40).contains($0) ? $0 : nil }
    }
}
