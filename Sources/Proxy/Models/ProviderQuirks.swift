import ProxyRouting

/// What OpenAI-compatible providers have taught about a model by refusing something of a request that was written here, for a client of another language.
struct ProviderQuirks: Equatable, Sendable {
    /// Members of the request, or of its messages, that it does not know.
    private(set) var leftOut: Set<String> = []
    /// The limit of an answer's tokens has the name `max_completion_tokens`.
    private(set) var hasOtherTokenLimit = false
    private(set) var mostTokens: Int?
    /// System messages stand at the beginning or nowhere.
    private(set) var foldsSystem = false
    /// What this one prompt leaves for the answer.
    private(set) var tokensLeft: Int?

    var isEmpty: Bool { self == ProviderQuirks() }

    /// What holds for the next request too.
    var lasting: ProviderQuirks {
        var lasting = self
        lasting.tokensLeft = nil
        return lasting
    }

    /// What may be left out: it tunes the answer, or the model can do without.
    private static let optional = [
        "prompt_cache_key", "service_tier", "verbosity", "top_k", "reasoning_effort", "reasoning_content",
        "parallel_tool_calls", "stream_options", "temperature", "top_p", "top_logprobs", "logprobs", "user", "seed",
        "logit_bias", "presence_penalty", "frequency_penalty",
    ]

    /// - Returns: whether another try makes sense.
    mutating func learn(from failure: Failure) -> Bool {
        let before = self
        switch failure.kind {
        case .promptTooLong:
            guard let length = failure.promptLength, let limit = length.limit, let prompt = length.messages,
                length.completion != nil, limit - prompt > Self.leastAnswer
            else { return false }
            tokensLeft = limit - prompt - Self.leastAnswer / 2
        case .refused, .parameterRefused:
            if let limit = RefusedMember.tokenLimit(in: failure) {
                mostTokens = limit
            } else if let name = RefusedMember.named(in: failure, among: Self.optional + ["max_tokens"]) {
                if name == "max_tokens" { hasOtherTokenLimit = true } else { leftOut.insert(name) }
            } else if RefusedMember.isSystemRole(failure) {
                foldsSystem = true
            }
        default: return false
        }
        return self != before
    }

    private static let leastAnswer = 256
}
