/// Recognises that a prompt is longer than its model takes, however the upstream words it, and says so in the one way
/// that coding agents understand: they compact their history then, instead of giving up.
enum ContextLength {
    private static let phrases = [
        "maximum context length", "context length exceeded", "context_length_exceeded", "exceeds the context", "context window",
        "prompt is too long", "input is too long", "too many tokens", "maximum prompt length", "input token count",
        "exceeds the maximum number of tokens", "exceed context limit", "total number of tokens exceeds", "prompt token count",
        "input length and `max_tokens` exceed", "maximum allowed number of input tokens", "maximum number of input tokens",
    ]

    static func isExceeded(message: String, code: String?) -> Bool {
        if code == "context_length_exceeded" { return true }
        let words = message.lowercased()
        // "Too many tokens per minute" is a rate limit.
        if words.contains("per minute") || words.contains("rate limit") { return false }
        return phrases.contains { words.contains($0) }
    }

    /// 400 `context_length_exceeded`; the message begins as OpenAI's does, and keeps the upstream's words.
    static func error(from message: String) -> APIError {
        let beginning = "This model's maximum context length is"
        let text = message.hasPrefix(beginning) ? message : "\(beginning) \(limit(in: message)). \(message)"
        return APIError.invalidRequest(text, param: "messages", code: "context_length_exceeded")
    }

    /// The figure that the upstream names as its limit, if it names one: the smaller of the token counts.
    private static func limit(in message: String) -> String {
        let numbers = message.matches(of: #/\b\d{3,}\b/#).compactMap { Int($0.output) }
        guard let limit = numbers.min() else { return "exceeded" }
        return "\(limit) tokens"
    }
}
