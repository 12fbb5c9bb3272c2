/// How many tokens OCI's models take and give on demand. The service does not say so itself; the table is of 2026-04-17, from Oracle's pages and from what
/// implementers have found (OCI wire notes, 8). Where those differ the smaller one counts, for a client that sends more gets an error.
struct ModelLimits: Equatable, Sendable {
    /// Tokens of prompt and answer together.
    let context: Int
    /// Tokens of an answer; nil when nobody says.
    var output: Int?

    /// By the beginning of the id; the first that matches counts.
    private static let table: [(id: String, limits: ModelLimits)] = [
        ("xai.grok-4-fast", ModelLimits(context: 131_072)), ("xai.grok-4-1-fast", ModelLimits(context: 2_000_000)),
        ("xai.grok-4.20-multi", ModelLimits(context: 2_000_000)),
        ("xai.grok-4.20", ModelLimits(context: 1_000_000)), ("xai.grok-4.3", ModelLimits(context: 1_000_000)),
        ("xai.grok-4.6", ModelLimits(context: 131_072)),
        ("xai.grok-4", ModelLimits(context: 131_072, output: 131_072)),
        ("xai.grok-3", ModelLimits(context: 131_072, output: 131_072)),
        ("xai.grok-code-fast", ModelLimits(context: 256_000)),
        ("google.gemini-2.5", ModelLimits(context: 1_048_576, output: 65_536)),
        ("openai.gpt-oss", ModelLimits(context: 131_072, output: 131_072)),
        ("gpt-oss", ModelLimits(context: 131_072, output: 131_072)),
        ("openai.gpt-5", ModelLimits(context: 272_000, output: 128_000)),
        ("meta.llama-4-maverick", ModelLimits(context: 512_000, output: 4_000)),
        ("meta.llama-4-scout", ModelLimits(context: 192_000, output: 4_000)),
        ("meta.llama-3.", ModelLimits(context: 128_000, output: 4_000)),
        ("meta.llama-3-70b", ModelLimits(context: 8_000, output: 4_000)),
        ("cohere.command-a-vision", ModelLimits(context: 128_000, output: 4_000)),
        ("cohere.command-a-reasoning", ModelLimits(context: 256_000, output: 32_000)),
        ("cohere.command-a", ModelLimits(context: 256_000, output: 4_000)),
        ("cohere.command-r-16k", ModelLimits(context: 16_000, output: 4_000)),
        ("cohere.command-r", ModelLimits(context: 128_000, output: 4_000)),
        ("cohere.command-latest", ModelLimits(context: 128_000, output: 4_000)),
        ("cohere.command-plus-latest", ModelLimits(context: 128_000, output: 4_000)),
        ("cohere.embed-v4", ModelLimits(context: 128_000)), ("cohere.embed-", ModelLimits(context: 512)),
    ]

    /// Nil for a model that is not in the table.
    static func of(_ modelID: String) -> ModelLimits? {
        let id = modelID.lowercased()
        return table.first { id.hasPrefix($0.id) }?.limits
    }
}
