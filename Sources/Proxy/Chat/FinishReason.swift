/// Why an answer ended, in the words of the OpenAI API.
enum FinishReason: String, Sendable {
    case stop, length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
}
