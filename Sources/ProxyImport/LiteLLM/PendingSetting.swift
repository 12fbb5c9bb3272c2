/// What LiteLLM says of a single deployment and a provider of the proxy cannot be told yet. The one place where that is known: when the proxy has
/// such a setting, its row says so, and the import writes it.
struct PendingSetting: Sendable {
    enum Kind: Sendable {
        case count, seconds
        /// It has no form yet in which it could be written.
        case other
    }

    /// As `[PROVIDER_n]` will call it.
    let setting: String
    let kind: Kind
    /// The proxy has it.
    let isSupported: Bool

    /// By LiteLLM's names.
    static let ofProvider: [String: PendingSetting] = {
        var table = [
            "weight": PendingSetting(setting: "weight", kind: .count, isSupported: false),
            "order": PendingSetting(setting: "priority", kind: .count, isSupported: false),
            "timeout": PendingSetting(setting: "request_timeout", kind: .seconds, isSupported: false),
            "request_timeout": PendingSetting(setting: "request_timeout", kind: .seconds, isSupported: false),
            "stream_timeout": PendingSetting(setting: "stream_timeout", kind: .seconds, isSupported: false),
            "rpm": PendingSetting(setting: "rpm", kind: .count, isSupported: false),
            "tpm": PendingSetting(setting: "tpm", kind: .count, isSupported: false),
            "max_parallel_requests": PendingSetting(setting: "max_concurrency", kind: .count, isSupported: false),
            "extra_headers": PendingSetting(setting: "headers", kind: .other, isSupported: false),
            "headers": PendingSetting(setting: "headers", kind: .other, isSupported: false),
            "organization": PendingSetting(setting: "headers", kind: .other, isSupported: false),
            "extra_body": PendingSetting(setting: "set", kind: .other, isSupported: false),
        ]
        for name in bodyMembers { table[name] = PendingSetting(setting: "default", kind: .other, isSupported: false) }
        return table
    }()

    /// Members of a request that LiteLLM adds where the client does not set them.
    static let bodyMembers = [
        "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "n", "stop", "seed", "presence_penalty",
        "frequency_penalty", "response_format", "reasoning_effort", "thinking", "logit_bias", "logprobs",
        "top_logprobs",
        "user", "tools", "tool_choice", "parallel_tool_calls", "dimensions", "encoding_format", "input_type", "voice",
        "service_tier", "verbosity", "num_ctx", "keep_alive", "repeat_penalty", "safety_settings", "stream_options",
        "store", "metadata", "modalities", "web_search_options", "provider", "transforms",
    ]

    /// As the configuration writes a value; nil when it cannot.
    func text(_ value: YAMLValue) -> String? {
        switch kind {
        case .count: value.integer.flatMap { $0 >= 0 ? "\($0)" : nil }
        case .seconds: value.number.flatMap(Seconds.text)
        case .other: nil
        }
    }

    /// Why it is left out.
    func reason(isOCI: Bool = false) -> String {
        "\(isOCI ? "an account" : "a provider") of the proxy has no \(setting) yet"
    }
}
