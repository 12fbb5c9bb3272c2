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
        translate(status: status, retryAfter: retryAfter, ErrorWords(try? JSONDocument(parsing: body).root), account: account)
    }

    /// An error in place of an event of a stream. No source shows one; the form of error bodies is expected (OCI wire
    /// notes, 4.6). Its `code` may be the HTTP status that it would have had: then it means the same.
    static func translate(event: JSONValue) -> APIError {
        let said = ErrorWords(event)
        let code = event["code"] ?? event["error"]?["code"]
        switch code?.int ?? code?.string.flatMap({ Int($0) }) {
        case let status? where [400, 404, 413, 422, 429, 503].contains(status):
            return translate(status: status, retryAfter: nil, said, account: "")
        default:
            return APIError(
                status: 502, message: "The upstream broke the answer off: \(said.message ?? "it gave no reason.")",
                type: "api_error", code: "upstream_error")
        }
    }

    private static func translate(status: Int, retryAfter: Int?, _ said: ErrorWords, account: String) -> APIError {
        switch status {
        case 400, 422: return invalid(said, status: status)
        case 401, 403:
            // Not the client's key: its own would be called wrong if this passed through as 401.
            return APIError(
                status: 502,
                message: "OCI refuses the credentials of account '\(account)' (HTTP \(status)\(reason(said))). "
                    + "The operator has to check its user, fingerprint, key and the clock.",
                type: "upstream_error", code: "upstream_auth_failed", forbidsRetry: true)
        case 404:
            return APIError(
                status: 404, message: said.message ?? "OCI does not know this model, or this account may not use it.",
                type: "invalid_request_error", param: "model", code: "model_not_found")
        case 413:
            if let message = said.message, ContextLength.isExceeded(message: message, code: said.code) {
                return ContextLength.error(from: message)
            }
            return APIError(
                status: 413, message: said.message ?? "The request is larger than OCI takes.", type: "invalid_request_error", code: "request_too_large")
        case 429 where said.code == "insufficient_quota":
            // Used up for good: waiting mends nothing.
            return APIError(
                status: 429, message: said.message ?? "The quota of this account is used up.", type: "insufficient_quota",
                code: "insufficient_quota", forbidsRetry: true)
        case 429:
            return APIError(
                status: 429, message: said.message ?? "OCI throttles this account. Try again later.", type: "rate_limit_error",
                code: "rate_limit_exceeded", retryAfter: retryAfter)
        case 409, 503:
            return APIError(
                status: 503, message: said.message ?? "OCI is unavailable at the moment. Try again.", type: "server_error",
                code: "upstream_unavailable", retryAfter: retryAfter)
        case 408, 504:
            return APIError(
                status: 504, message: "OCI did not answer in time (HTTP \(status)). Try again.", type: "timeout_error", code: "upstream_timeout")
        case 500...599:
            return APIError(
                status: 502, message: said.message ?? "OCI failed (HTTP \(status)). Try again.", type: "server_error", code: "upstream_error")
        default:
            return APIError(
                status: 502, message: "OCI answered HTTP \(status), which this proxy does not expect.", type: "upstream_error",
                code: "upstream_invalid_answer")
        }
    }

    /// Why OCI refuses credentials. Where it speaks of an API key it may repeat it.
    private static func reason(_ said: ErrorWords) -> String {
        guard let message = said.message else { return "" }
        return ": " + (message.lowercased().contains("api key") ? PassThroughError.withoutKeys(message) : message)
    }

    private static func invalid(_ said: ErrorWords, status: Int) -> APIError {
        let message = said.message ?? "OCI refuses the request without saying why."
        if isRetired(message) {
            return APIError(status: 404, message: message, type: "invalid_request_error", param: "model", code: "model_not_found")
        }
        if ContextLength.isExceeded(message: message, code: said.code) {
            return ContextLength.error(from: message)
        }
        return APIError(
            status: status, message: message, type: "invalid_request_error", param: said.parameter, code: said.openAICode)
    }

    /// `Model meta.llama-3.1-70b-instruct 1.0.0 is retired`: the listing may still show it as active.
    private static func isRetired(_ message: String) -> Bool {
        message.lowercased().hasPrefix("model ") && message.lowercased().contains("is retired")
    }
}
