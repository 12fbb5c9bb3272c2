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
        translate(status: status, retryAfter: retryAfter, ErrorWords(body: body), upstream: upstream)
    }

    /// An error in place of an answer or of an event, under HTTP status 200. Its code may be the status that it should have
    /// had: then it means the same.
    ///
    /// - Parameter document: nil when there were no words that could be read.
    static func translate(document: JSONValue?, upstream: String) -> APIError {
        let words = ErrorWords(document)
        var error = translate(status: words.status, retryAfter: nil, words, upstream: upstream)
        error.isUnderSuccess = true
        return error
    }

    private static func translate(status: Int?, retryAfter: Int?, _ words: ErrorWords, upstream: String) -> APIError {
        let refusal = Refusal(status: status, words)
        var error = error(for: refusal, status: status, retryAfter: retryAfter ?? (refusal.mayNameAPause ? words.retryAfter : nil), words, upstream: upstream)
        error.kind = refusal.kind
        return error
    }

    private static func error(for refusal: Refusal, status: Int?, retryAfter: Int?, _ words: ErrorWords, upstream: String) -> APIError {
        switch refusal.kind {
        case .request where refusal.isForContent: .refusedContent(words.message ?? silence(400, upstream), code: words.code, status: status)
        case .request:
            APIError(
                status: status ?? 400, message: words.message ?? silence(status, upstream), type: words.type ?? "invalid_request_error",
                param: words.vendorParameter, code: words.code ?? (status == 413 ? "request_too_large" : "invalid_request"))
        case .promptTooLong: ContextLength.error(from: words.message ?? "")
        case .modelGone:
            // Its own code where the status says enough.
            APIError(
                status: 404, message: words.message ?? "'\(upstream)' does not know this model.", type: words.type ?? "invalid_request_error",
                param: words.vendorParameter ?? "model", code: status == 404 ? words.code ?? "model_not_found" : "model_not_found")
        case .modelNotAllowed: .modelNotAllowed(words.message ?? "'\(upstream)' does not give this model to this proxy.", code: words.code)
        case .credentialsRefused, .credentialsDoubted: refusedCredentials(words, status: status ?? 200, upstream: upstream)
        case .accountExhausted, .accountDoubted: .exhausted(words.message.map(withoutKeys) ?? "The quota at '\(upstream)' is used up.", retryAfter: retryAfter)
        case .throttled:
            APIError(
                status: 429, message: words.message ?? "'\(upstream)' throttles this proxy. Try again later.", type: "rate_limit_error",
                code: "rate_limit_exceeded", retryAfter: retryAfter)
        case .unavailable:
            APIError(
                status: 503, message: words.message ?? "'\(upstream)' is unavailable at the moment. Try again.", type: "server_error",
                code: "upstream_unavailable", retryAfter: retryAfter)
        case .timedOut:
            APIError(
                status: 504, message: "'\(upstream)' did not answer in time\(status.map { " (HTTP \($0))" } ?? "")\(reason(words)). Try again.", type: "timeout_error",
                code: "upstream_timeout")
        case .failed, .wrongKind: failure(words, status: status, upstream: upstream)
        }
    }

    private static func failure(_ words: ErrorWords, status: Int?, upstream: String) -> APIError {
        switch status {
        case nil:
            APIError(
                status: 502, message: words.message ?? "'\(upstream)' reported an error and gave no reason. Try again.",
                type: "upstream_error", code: words.code ?? "upstream_error")
        case let status? where status >= 500:
            APIError(
                status: 502, message: words.message ?? "'\(upstream)' failed (HTTP \(status)). Try again.", type: "server_error", code: "upstream_error")
        case let status?:
            APIError(
                status: 502,
                message: words.message.map { "'\(upstream)' answered HTTP \(status): \($0)" }
                    ?? "'\(upstream)' answered HTTP \(status), which this proxy does not expect. The operator has to check its base URL.",
                type: "upstream_error", code: "upstream_invalid_answer")
        }
    }

    /// Not the client's key: its own would be called wrong if this passed through as 401.
    private static func refusedCredentials(_ words: ErrorWords, status: Int, upstream: String) -> APIError {
        APIError(
            status: 502, message: "'\(upstream)' refuses this proxy's token (HTTP \(status)\(reason(words))). The operator has to check the token.",
            type: "upstream_error", code: "upstream_auth_failed", forbidsRetry: true)
    }

    private static func reason(_ words: ErrorWords) -> String { words.message.map { ": \(withoutKeys($0))" } ?? "" }

    /// Upstreams repeat the key that they refuse, some of them all of it. Words without a digit or a star stay, but an OCID does not.
    static func withoutKeys(_ message: String) -> String {
        message.replacing(#/[A-Za-z0-9_*.\-]{8,}/#) { found in
            found.output.contains { $0.isNumber || $0 == "*" } ? "***" : String(found.output)
        }
    }

    private static func silence(_ status: Int?, _ upstream: String) -> String {
        status == 413 ? "The request is larger than '\(upstream)' takes." : "'\(upstream)' refuses the request without saying why."
    }
}
