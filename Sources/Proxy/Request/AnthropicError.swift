import ProxyRouting

/// A failure as clients of Anthropic's API are told it.
struct AnthropicError: Equatable, Sendable {
    /// HTTP status, 400...599.
    let status: Int
    let message: String
    /// Such as `overloaded_error`.
    let type: String
    /// A word for programs beside it.
    let detail: String?
    let requestID: String
    /// The same failure in the words of OpenAI's API: its headers hold here as well, and the log speaks of it.
    let base: OpenAIError

    init(_ failure: Failure, requestID: String) {
        base = OpenAIError(failure)
        self.requestID = requestID
        // That API has a status of its own for it, which clients know how to wait for.
        status = base.status == 503 ? 529 : base.status
        type = Self.type(for: status)
        message = failure.kind == .promptTooLong ? Self.tooLong(failure) : failure.message
        detail = if case .invalidRequest = failure.kind { failure.said?.code } else { nil }
    }

    private static func type(for status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 504: "timeout_error"
        case 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }

    /// In the one way that Claude Code compacts its history after.
    private static func tooLong(_ failure: Failure) -> String {
        guard let length = failure.promptLength, let limit = length.limit else {
            return "prompt is too long: \(failure.message)"
        }
        // The prompt alone would do: what is wanted of an answer is too much, and less of it helps.
        if let prompt = length.messages, let answer = length.completion, prompt < limit {
            return "input length and `max_tokens` exceed context limit: \(prompt) + \(answer) > \(limit), "
                + "decrease input length or `max_tokens` and try again"
        }
        return "prompt is too long: \(length.tokens ?? limit + 1) tokens > \(limit) maximum"
    }

    var body: [UInt8] {
        var writer = JSONWriter(capacity: message.utf8.count + 160)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "error")
        writer.key("error")
        writer.beginObject()
        writer.key("type")
        writer.string(type)
        writer.key("message")
        writer.string(message)
        if let detail {
            writer.key("details")
            writer.beginObject()
            writer.key("error_code")
            writer.string(detail)
            writer.endObject()
        }
        writer.endObject()
        writer.key("request_id")
        writer.string(requestID)
        writer.endObject()
        return writer.bytes
    }

    /// What stands in a stream of events for a failure behind the headers.
    var event: [UInt8] { Array("event: error\ndata: ".utf8) + body + Array("\n\n".utf8) }
}
