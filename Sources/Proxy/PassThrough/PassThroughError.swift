/// What an upstream that speaks the OpenAI API says when it refuses or fails, for the client.
///
/// What the request itself is to blame for keeps status, message, type and code; the rest is told in the proxy's own words
/// for it, as for every upstream.
enum PassThroughError {
    /// - Parameters:
    ///   - retryAfter: the seconds of the `retry-after` header.
    ///   - body: the body as it came; markup and empty bodies are never passed on.
    ///   - upstream: its name, for the operator.
    static func translate(status: Int, retryAfter: Int?, body: [UInt8], upstream: String) -> APIError {
        translate(status: status, retryAfter: retryAfter, ErrorWords(try? JSONDocument(parsing: body).root), upstream: upstream)
    }

    /// An error in place of an answer or of an event, under HTTP status 200. Its code may be the status that it should have
    /// had: then it means the same.
    ///
    /// - Parameter document: nil when there were no words that could be read.
    static func translate(document: JSONValue?, upstream: String) -> APIError {
        let words = ErrorWords(document)
        if let status = words.status { return translate(status: status, retryAfter: nil, words, upstream: upstream) }
        if refusesKey(words) { return refusedCredentials(words, status: 200, upstream: upstream) }
        if let message = words.message, ContextLength.isExceeded(message: message, code: words.code) { return ContextLength.error(from: message) }
        return APIError(
            status: 502, message: words.message ?? "'\(upstream)' reported an error and gave no reason. Try again.",
            type: "upstream_error", code: words.code ?? "upstream_error")
    }

    private static func translate(status: Int, retryAfter: Int?, _ words: ErrorWords, upstream: String) -> APIError {
        switch status {
        case 400, 404, 413, 422:
            if refusesKey(words) { return refusedCredentials(words, status: status, upstream: upstream) }
            if let message = words.message, ContextLength.isExceeded(message: message, code: words.code) { return ContextLength.error(from: message) }
            return APIError(
                status: status, message: words.message ?? silence(status, upstream), type: words.type ?? "invalid_request_error",
                param: words.vendorParameter ?? (status == 404 ? "model" : nil), code: words.code ?? code(status))
        case 401, 403: return refusedCredentials(words, status: status, upstream: upstream)
        case 402:
            // The operator's purse is empty: OpenAI says so with 429, and waiting mends nothing.
            return exhausted(words, upstream: upstream)
        case 429 where words.code == "insufficient_quota" || words.type == "insufficient_quota": return exhausted(words, upstream: upstream)
        case 429:
            return APIError(
                status: 429, message: words.message ?? "'\(upstream)' throttles this proxy. Try again later.", type: "rate_limit_error",
                code: "rate_limit_exceeded", retryAfter: retryAfter)
        case 409, 503, 529:
            return APIError(
                status: 503, message: words.message ?? "'\(upstream)' is unavailable at the moment. Try again.", type: "server_error",
                code: "upstream_unavailable", retryAfter: retryAfter)
        case 408, 504, 524:
            return APIError(
                status: 504, message: "'\(upstream)' did not answer in time (HTTP \(status)). Try again.", type: "timeout_error", code: "upstream_timeout")
        case 500...599:
            return APIError(
                status: 502, message: words.message ?? "'\(upstream)' failed (HTTP \(status)). Try again.", type: "server_error", code: "upstream_error")
        default:
            return APIError(
                status: 502, message: "'\(upstream)' answered HTTP \(status), which this proxy does not expect. The operator has to check its base URL.",
                type: "upstream_error", code: "upstream_invalid_answer")
        }
    }

    private static func exhausted(_ words: ErrorWords, upstream: String) -> APIError {
        APIError(
            status: 429, message: words.message ?? "The quota at '\(upstream)' is used up.", type: "insufficient_quota", code: "insufficient_quota",
            forbidsRetry: true)
    }

    /// Not the client's key: its own would be called wrong if this passed through as 401.
    private static func refusedCredentials(_ words: ErrorWords, status: Int, upstream: String) -> APIError {
        let reason = words.message.map { ": \(withoutKeys($0))" } ?? ""
        return APIError(
            status: 502, message: "'\(upstream)' refuses this proxy's token (HTTP \(status)\(reason)). The operator has to check the token.",
            type: "upstream_error", code: "upstream_auth_failed", forbidsRetry: true)
    }

    /// xAI and Google call a wrong key a bad request.
    private static func refusesKey(_ words: ErrorWords) -> Bool {
        if words.code == "invalid_api_key" { return true }
        guard let message = words.message?.lowercased() else { return false }
        return ["incorrect api key", "invalid api key", "api key not valid", "api key is invalid"].contains { message.contains($0) }
    }

    /// Upstreams repeat the key that they refuse, some of them all of it. Words without a digit or a star stay, but an OCID does not.
    static func withoutKeys(_ message: String) -> String {
        message.replacing(#/[A-Za-z0-9_*.\-]{8,}/#) { found in
            found.output.contains { $0.isNumber || $0 == "*" } ? "***" : String(found.output)
        }
    }

    private static func silence(_ status: Int, _ upstream: String) -> String {
        switch status {
        case 404: "'\(upstream)' does not know this model."
        case 413: "The request is larger than '\(upstream)' takes."
        default: "'\(upstream)' refuses the request without saying why."
        }
    }

    private static func code(_ status: Int) -> String {
        switch status {
        case 404: "model_not_found"
        case 413: "request_too_large"
        default: "invalid_request"
        }
    }
}
