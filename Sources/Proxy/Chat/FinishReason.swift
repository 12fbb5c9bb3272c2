/// Why an answer ended.
enum FinishReason: Sendable {
    case stop, length
    /// Prompt and answer have filled the context window.
    case contextWindow
    case toolCalls
    case contentFilter

    /// The word of the chat completions API.
    var word: String {
        switch self {
        case .stop: "stop"
        case .length, .contextWindow: "length"
        case .toolCalls: "tool_calls"
        case .contentFilter: "content_filter"
        }
    }

    /// The answer was broken off by a limit.
    var isLimit: Bool { self == .length || self == .contextWindow }
}
