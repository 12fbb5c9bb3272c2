/// What the word means with which an upstream ends a choice. Vendors have their own, and gateways put others' behind a word of OpenAI's
/// (`content_filter: PROHIBITED_CONTENT`).
enum FinishWord: Equatable {
    /// The model had said what it had to say; or the word is none.
    case whole
    case calls
    /// The answer or the reasoning has reached its limit.
    case limit
    /// The context window is full.
    case window
    /// A filter, a recitation or a refusal: of what it would say, or of what it was asked.
    case filtered
    /// The upstream could not go on.
    case failed
    /// Any other word: a reason all the same.
    case other

    init(_ word: String) {
        let word = word.prefix(128).lowercased()
        switch word {
        case "", "null", "none", "stop", "stopped", "stop_sequence", "end_turn", "eos", "eos_token", "complete",
            "completed", "end", "done", "finish", "finished", "normal",
            "user_cancel", "finish_reason_unspecified", "unspecified", "unknown":
            self = .whole
        case "tool_calls", "tool_call", "tool_use", "function_call", "function_calls": self = .calls
        case "length", "max_tokens", "max_output_tokens", "error_limit", "token_limit": self = .limit
        case "model_length": self = .window
        // DeepSeek, Zhipu and others: their own trouble, not the request's.
        case "error", "network_error", "insufficient_system_resource", "server_error", "internal_error", "timeout",
            "abort", "aborted", "cancelled", "canceled":
            self = .failed
        case "safety", "recitation", "blocklist", "prohibited_content", "spii", "image_safety",
            "image_prohibited_content", "model_armor", "language", "refusal",
            "sensitive", "moderation", "blocked", "error_toxic", "guardrail_intervened", "guardrails",
            "content_filtered":
            self = .filtered
        default:
            if word.hasPrefix("content_filter") {
                self = .filtered
            } else if word.contains("context_window") || word.contains("context_length") {
                self = .window
            } else {
                self = .other
            }
        }
    }

    /// A choice that ends so may have nothing in it.
    var excusesSilence: Bool {
        switch self {
        case .limit, .window, .filtered, .other: true
        case .whole, .calls, .failed: false
        }
    }
}
