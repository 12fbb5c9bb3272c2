/// Recognises that a prompt is longer than its model takes, however the upstream words it, and says so in the one way
/// that coding agents understand: they compact their history then, instead of giving up.
enum ContextLength {
    private static let phrases = [
        "maximum context length", "context length exceeded", "context_length_exceeded", "exceeds the context", "context window",
        "prompt is too long", "input is too long", "too many tokens", "maximum prompt length", "input token count",
        "exceeds the maximum number of tokens", "exceed context limit", "total number of tokens exceeds", "prompt token count",
        "input length and `max_tokens` exceed", "maximum allowed number of input tokens", "maximum number of input tokens",
    ]

    /// "Too many tokens per minute", "too many tokens, please wait": these are limits of a rate.
    private static let rates = ["per minute", "per day", "rate limit", "please wait", "throttl", "quota"]

    static func isExceeded(message: String, code: String?) -> Bool {
        if code == "context_length_exceeded" { return true }
        let words = message.prefix(PlainWords.limit).lowercased()
        if rates.contains(where: { words.contains($0) }) { return false }
        return phrases.contains { words.contains($0) }
    }

    /// 400 `context_length_exceeded`; the message begins as OpenAI's does, and keeps the upstream's words.
    static func error(from message: String) -> APIError {
        let beginning = "This model's maximum context length is"
        let text =
            if let found = message.firstRange(of: beginning) {
                // Words in front of it would hide it.
                String(message[found.lowerBound...])
            } else {
                "\(beginning) \(limit(in: message)). \(message)"
            }
        var error = APIError.invalidRequest(text, param: "messages", code: "context_length_exceeded")
        error.kind = .promptTooLong
        return error
    }

    /// The figure that the upstream names as its limit, or "exceeded" when no number is clearly it: an agent compacts its
    /// history to this figure, so a wrong one is worse than none.
    private static func limit(in message: String) -> String {
        // "maximum prompt length is 131,072", "cannot exceed 8192 tokens", "number of tokens allowed (1048576)": between the
        // word and its number stand words, but no other number and no end of a clause.
        let wordFirst = #/(?i)(?:maximum|limit|cannot exceed|at most|allowed)[^0-9.,;>]{0,60}?(\d[\d,]{2,})(?!\d)/#
        // "200000 maximum", "8192 token limit".
        let numberFirst = #/(?i)(\d[\d,]{2,})(?: tokens?)? (?:maximum|limit)/#
        let found = message.firstMatch(of: wordFirst)?.output.1 ?? message.firstMatch(of: numberFirst)?.output.1
        guard let found, let limit = Int(found.filter { $0 != "," }) else { return "exceeded" }
        return "\(limit) tokens"
    }
}
