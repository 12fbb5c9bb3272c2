/// What OCI says when it refuses, in the OpenAI form.
///
/// The HTTP status decides, then the message: OCI's own `code` is a documented name or the status once more as text, and
/// the message may be another vendor's error as a JSON text (OCI wire notes, 3.7).
enum OCIErrorToOpenAI {
    /// - Parameters:
    ///   - retryAfter: the seconds of the `retry-after` header.
    ///   - body: the body as it came; markup and empty bodies are never passed on.
    ///   - account: named where an operator has to act.
    static func translate(status: Int, retryAfter: Int?, body: [UInt8], account: String) -> APIError {
        translate(status: status, retryAfter: retryAfter, ErrorWords(body: body), account: account)
    }

    /// An error in place of an event of a stream. No source shows one; the form of error bodies is expected (OCI wire
    /// notes, 4.6). Its `code` may be the HTTP status that it would have had: then it means the same.
    static func translate(event: JSONValue) -> APIError {
        let said = ErrorWords(event)
        let code = event["code"] ?? event["error"]?["code"]
        var error =
            if let status = code?.int ?? code?.string.flatMap({ Int($0) }), [400, 404, 413, 422, 429, 503].contains(status) {
                translate(status: status, retryAfter: nil, said, account: "")
            } else {
                translate(words: said)
                    ?? APIError(
                        status: 502, message: "The upstream broke the answer off: \(said.message ?? "it gave no reason.")", type: "api_error",
                        code: "upstream_error", kind: .failed)
            }
        error.isUnderSuccess = true
        return error
    }

    /// An error without a status.
    ///
    /// - Returns: nil when its words only say that something went wrong.
    static func translate(words: ErrorWords) -> APIError? {
        switch Refusal(status: nil, words).kind {
        case .failed, .credentialsRefused, .credentialsDoubted: nil
        default: translate(status: nil, retryAfter: nil, words, account: "")
        }
    }

    private static func translate(status: Int?, retryAfter: Int?, _ said: ErrorWords, account: String) -> APIError {
        let refusal = Refusal(status: status, said)
        var error = error(for: refusal, status: status, retryAfter: retryAfter ?? (refusal.mayNameAPause ? said.retryAfter : nil), said, account: account)
        error.kind = refusal.kind
        return error
    }

    private static func error(for refusal: Refusal, status: Int?, retryAfter: Int?, _ said: ErrorWords, account: String) -> APIError {
        switch refusal.kind {
        case .request where refusal.isForContent: return .refusedContent(said.message ?? silence, code: said.code, status: status)
        case .request where status == 413:
            return APIError(
                status: 413, message: said.message ?? "The request is larger than OCI takes.", type: "invalid_request_error", code: "request_too_large")
        case .request:
            return APIError(
                status: status ?? 400, message: said.message ?? silence, type: "invalid_request_error", param: said.parameter, code: said.openAICode)
        case .promptTooLong: return ContextLength.error(from: said.message ?? "")
        case .modelGone:
            return APIError(
                status: 404, message: said.message ?? "OCI does not know this model, or this account may not use it.",
                type: "invalid_request_error", param: "model", code: "model_not_found")
        case .modelNotAllowed: return .modelNotAllowed(said.message ?? "This account may not use the model.", code: said.code)
        case .credentialsRefused, .credentialsDoubted:
            // Not the client's key: its own would be called wrong if this passed through as 401.
            let http = status.map { "HTTP \($0)" } ?? "an error"
            return APIError(
                status: 502,
                message: "OCI refuses the credentials of account '\(account)' (\(http)\(reason(said))). "
                    + "The operator has to check its user, fingerprint, key and the clock.",
                type: "upstream_error", code: "upstream_auth_failed", forbidsRetry: true)
        case .accountExhausted, .accountDoubted: return .exhausted(said.message ?? "The quota of this account is used up.", retryAfter: retryAfter)
        case .throttled:
            return APIError(
                status: 429, message: said.message ?? "OCI throttles this account. Try again later.", type: "rate_limit_error",
                code: "rate_limit_exceeded", retryAfter: retryAfter)
        case .unavailable:
            return APIError(
                status: 503, message: said.message ?? "OCI is unavailable at the moment. Try again.", type: "server_error",
                code: "upstream_unavailable", retryAfter: retryAfter)
        case .timedOut:
            return APIError(
                status: 504, message: "OCI did not answer in time\(http(status))\(reason(said)). Try again.", type: "timeout_error", code: "upstream_timeout")
        case .failed, .wrongKind:
            guard let status, status < 500 else {
                return APIError(
                    status: 502, message: said.message ?? "OCI failed\(http(status)). Try again.", type: "server_error", code: "upstream_error")
            }
            return APIError(
                status: 502, message: said.message.map { "OCI answered HTTP \(status): \($0)" } ?? "OCI answered HTTP \(status), which this proxy does not expect.", type: "upstream_error",
                code: "upstream_invalid_answer")
        }
    }

    private static let silence = "OCI refuses the request without saying why."

    private static func http(_ status: Int?) -> String { status.map { " (HTTP \($0))" } ?? "" }

    /// Why OCI refuses credentials. Where it speaks of an API key it may repeat it.
    private static func reason(_ said: ErrorWords) -> String {
        guard let message = said.message else { return "" }
        return ": " + (message.lowercased().contains("api key") ? PassThroughError.withoutKeys(message) : message)
    }
}

extension APIError {
    /// The upstream will not answer to what the request says. It would not the next time either.
    static func refusedContent(_ message: String, code: String?, status: Int?) -> APIError {
        APIError(
            status: status.flatMap { (400..<500).contains($0) ? $0 : nil } ?? 400, message: message, type: "invalid_request_error",
            code: code ?? "content_filter", forbidsRetry: true)
    }

    /// The upstream has the model, but not for this account, region or tier.
    static func modelNotAllowed(_ message: String, code: String?) -> APIError {
        APIError(status: 403, message: message, type: "invalid_request_error", param: "model", code: code ?? "model_not_allowed", forbidsRetry: true)
    }

    /// The operator's purse is empty: OpenAI says so with 429, and waiting mends nothing.
    static func exhausted(_ message: String, retryAfter: Int?) -> APIError {
        APIError(
            status: 429, message: message, type: "insufficient_quota", code: "insufficient_quota", retryAfter: retryAfter, forbidsRetry: true)
    }
}
