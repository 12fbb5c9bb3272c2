import NIOHTTP1

extension APIError {
    /// The same in the form that users of the aggregator know.
    var asHTTPError: APIError {
        var error = self
        (error.type, error.tellsStatusAsCode) = ("http_error", true)
        error.message.replace("as api_key in the config file", with: "among tokens in the config file")
        return error
    }

    static let notHTTP = APIError.invalidRequest(
        "This is not a valid HTTP/1.1 request: its head cannot be read, is too large, or leaves open where the body ends. "
            + "Send either content-length or chunked transfer-encoding, once, and one host header.",
        param: nil, code: "bad_http_request")

    static func bodyTooLarge(limit: Int) -> APIError {
        APIError(
            status: 413,
            message: "The request body is larger than \(limit) bytes, the limit of this proxy. Send less, or ask the operator to raise max_request_size.",
            type: "invalid_request_error", code: "request_too_large")
    }

    static func packedBody(_ coding: String) -> APIError {
        APIError(
            status: 415, message: "The request body is packed (content-encoding: \(coding.quotable)), and nothing is unpacked here. Send it without content-encoding.",
            type: "invalid_request_error", code: "unsupported_content_encoding")
    }

    /// The memory for bodies is taken by others.
    static func bodiesTooLarge(limit: Int) -> APIError {
        APIError(
            status: 503,
            message: "The bodies of the requests that are under way take all of the memory that there is for them, \(ByteSize.format(limit)). Try again in a moment; "
                + "the operator sets max_body_memory in the config file.",
            type: "overloaded_error", code: "body_memory_full", retryAfter: 1)
    }

    /// The key has as many requests under way as it may have.
    static func tooManyAtOnce(limit: Int) -> APIError {
        APIError(
            status: 429,
            message: "This API key has \(limit) requests under way or waiting, which is as many as it may have at once. Try again when one has ended; "
                + "the operator sets max_concurrency_per_key in the config file.",
            type: "rate_limit_error", code: "concurrency_limit_exceeded", retryAfter: 1)
    }

    static let bodyTimedOut = APIError(
        status: 408, message: "The request body stopped arriving, or came too slowly; the connection is closed. Send the request again.",
        type: "timeout_error", code: "request_body_timeout")

    static let shuttingDown = APIError(
        status: 503, message: "The proxy is shutting down and could not finish this request in time. Send it again in a moment.",
        type: "server_error", code: "server_shutting_down", retryAfter: 1)

    static func unknownPath(_ path: String) -> APIError {
        let isOtherAPI = ["/responses", "/completions"].contains { path.hasSuffix($0) }
        let hint = isOtherAPI ? " Set the client to chat completions: POST /v1/chat/completions." : ""
        return APIError(
            status: 404, message: "There is nothing at \(path.quotable).\(hint) GET / lists what this proxy serves.",
            type: "invalid_request_error", code: "unknown_path")
    }

    static let targetTooLong = APIError(
        status: 414, message: "The request target is longer than \(Route.longestTarget) bytes; nothing that is served here has such a one.",
        type: "invalid_request_error", code: "target_too_long")

    static func methodNotAllowed(_ method: HTTPMethod, allowed: [HTTPMethod]) -> APIError {
        APIError(
            status: 405, message: "\(method.rawValue.cut(toBytes: 32)) is not served here; use \(allowed.map(\.rawValue).joined(separator: " or ")).",
            type: "invalid_request_error", code: "method_not_allowed")
    }

    static let noKey = APIError(
        status: 401,
        message: "No API key was sent. Send one of the proxy's keys as 'Authorization: Bearer KEY' (or x-api-key, or api-key); the operator finds it as api_key in the config file.",
        type: "invalid_request_error", code: "invalid_api_key", forbidsRetry: true)

    static let wrongKey = APIError(
        status: 401,
        message: "The API key is not one of this proxy's keys. The operator finds them as api_key in the config file.",
        type: "invalid_request_error", code: "invalid_api_key", forbidsRetry: true)

    static func notLocal(_ reason: String) -> APIError {
        APIError(
            status: 401,
            message: "This endpoint needs an API key unless the operator asks on the machine itself, and \(reason). Send 'Authorization: Bearer KEY'.",
            type: "invalid_request_error", code: "invalid_api_key", forbidsRetry: true)
    }

    /// The key has used up its requests of this minute.
    static func rateLimited(_ standing: RequestBucket.Standing) -> APIError {
        let wait = standing.refusedFor ?? .zero
        let seconds = Int(wait.components.seconds) + (wait.components.attoseconds > 0 ? 1 : 0)
        var error = APIError(
            status: 429,
            message: "Rate limit reached for this API key: \(standing.limit) requests a minute. Try again in \(seconds) s; the operator sets rate_limit in the config file.",
            type: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: max(seconds, 1))
        error.rate = standing
        return error
    }
}
