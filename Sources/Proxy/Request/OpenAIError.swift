import ProxyRouting

/// A failure as clients of the OpenAI API are told it: the only place that knows that API's `type`, `code` and status for a kind of failure.
///
/// The document is `{"error":{"message","type","param","code"}}`, all four members always there, since strict clients refuse a body that lacks one.
struct OpenAIError: Equatable, Sendable {
    /// HTTP status, 400...599.
    private(set) var status: Int
    private(set) var message: String
    /// Such as `invalid_request_error`.
    private(set) var type: String
    /// The request field that is to blame.
    private(set) var param: String?
    /// A word for programs, such as `model_not_found`.
    private(set) var code: String?
    /// Seconds; becomes `retry-after`.
    private(set) var retryAfter: Int?
    /// `x-should-retry: false`: the official clients retry 409, 429 and 5xx on their own unless told not to.
    private(set) var forbidsRetry: Bool
    /// How the client's key stands when it has asked too often; becomes the `x-ratelimit` headers.
    private(set) var rate: RequestBucket.Standing?
    /// `code` is the status as a number: the form that users of aggregators know.
    private var tellsStatusAsCode = false

    init(_ failure: Failure) {
        let words = Words(failure)
        (status, type, code, forbidsRetry) = (words.status, words.type, words.code, words.forbidsRetry)
        message = failure.message
        param = failure.field
        retryAfter = failure.retryAfter
        if case .rateLimited(let standing) = failure.kind { rate = standing }
    }

    /// The same in the form that users of the aggregator know.
    var asHTTPError: OpenAIError {
        var error = self
        (error.type, error.tellsStatusAsCode) = ("http_error", true)
        return error
    }

    /// What stands in a stream of events for a failure behind the headers.
    var event: [UInt8] { Array("data: ".utf8) + body + Array("\n\n".utf8) }

    /// The body of the answer; the same object travels as the `data` of an event once a stream has begun.
    var body: [UInt8] {
        var writer = JSONWriter(capacity: message.utf8.count + 128)
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        writer.key("message")
        writer.string(message)
        writer.key("type")
        writer.string(type)
        writer.key("param")
        if let param { writer.string(param) } else { writer.null() }
        writer.key("code")
        if tellsStatusAsCode { writer.int(status) } else if let code { writer.string(code) } else { writer.null() }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}

/// The words of the OpenAI API for a kind of failure.
private struct Words {
    let status: Int
    let type: String
    let code: String?
    var forbidsRetry = false

    init(_ status: Int, _ type: String, _ code: String?, forbidsRetry: Bool = false) {
        self.status = status
        self.type = type
        self.code = code
        self.forbidsRetry = forbidsRetry
    }

    init(_ failure: Failure) {
        let said = failure.said
        self =
            switch failure.kind {
            case .invalidRequest(let fault): Words(400, "invalid_request_error", Self.code(of: fault))
            case .notFound(.path): Words(404, "invalid_request_error", "unknown_path")
            case .notFound(.model): Words(404, "invalid_request_error", "model_not_found")
            case .notFound(.key): Words(404, "invalid_request_error", "key_not_found")
            case .notFound(.request): Words(404, "invalid_request_error", "request_not_found")
            case .overloaded(.viewers): Words(503, "overloaded_error", "too_many_viewers")
            case .conflict: Words(409, "invalid_request_error", "conflict", forbidsRetry: true)
            case .overloaded(.ledger): Words(503, "server_error", "ledger_unavailable")
            case .notFound(.account): Words(404, "invalid_request_error", "account_not_found")
            case .unacceptable(let fault): Self.unacceptable(fault)
            case .unauthorized: Words(401, "invalid_request_error", "invalid_api_key", forbidsRetry: true)
            case .forbidden(.role): Words(403, "invalid_request_error", "permission_denied", forbidsRetry: true)
            case .forbidden(.page): Words(403, "invalid_request_error", "foreign_page", forbidsRetry: true)
            case .forbidden(.model): Words(403, "invalid_request_error", "model_not_allowed", forbidsRetry: true)
            case .rateLimited: Words(429, "rate_limit_error", "rate_limit_exceeded")
            case .tokensLimited: Words(429, "rate_limit_error", "rate_limit_exceeded")
            case .budgetExceeded(let isLong):
                Words(429, "insufficient_quota", "budget_exceeded", forbidsRetry: isLong)
            case .concurrencyLimited: Words(429, "rate_limit_error", "concurrency_limit_exceeded")
            case .overloaded(.bodyMemory): Words(503, "overloaded_error", "body_memory_full")
            case .overloaded(.queueFull): Words(503, "overloaded_error", "queue_full")
            case .overloaded(.queueTimeout): Words(503, "overloaded_error", "queue_timeout")
            case .noUpstreamAvailable(let isThrottled):
                Words(isThrottled ? 429 : 503, "overloaded_error", "no_account_available")
            case .shuttingDown: Words(503, "server_error", "server_shutting_down")
            case .internalError: Words(500, "internal_error", "internal_error")
            case .refused, .parameterRefused, .formatRefused:
                Words(said?.status ?? 400, said?.type ?? "invalid_request_error", said?.code)
            case .contentFiltered:
                Words(
                    said?.status.flatMap { (400..<500).contains($0) ? $0 : nil } ?? 400, "invalid_request_error",
                    said?.code ?? "content_filter",
                    forbidsRetry: true)
            case .promptTooLong: Words(400, "invalid_request_error", "context_length_exceeded")
            case .modelNotAllowed:
                Words(403, "invalid_request_error", said?.code ?? "model_not_allowed", forbidsRetry: true)
            case .modelGone: Words(404, said?.type ?? "invalid_request_error", said?.code ?? "model_not_found")
            case .throttled: Words(429, "rate_limit_error", "rate_limit_exceeded")
            // OpenAI says so with 429, and waiting mends nothing.
            case .accountExhausted, .accountDoubted:
                Words(429, "insufficient_quota", "insufficient_quota", forbidsRetry: true)
            // Not the client's key: its own would be called wrong if this passed through as 401.
            case .credentialsRefused, .credentialsDoubted:
                Words(502, "upstream_error", "upstream_auth_failed", forbidsRetry: true)
            case .unavailable: Words(503, "server_error", "upstream_unavailable")
            case .timedOut, .deadline, .transport(.connectTimedOut): Words(504, "timeout_error", "upstream_timeout")
            case .failed(let failure): Self.failed(failure, said)
            case .unusable(.otherForm): Words(502, "upstream_error", "upstream_invalid_answer", forbidsRetry: true)
            case .unusable(.noVector): Words(502, "upstream_error", "upstream_empty_answer", forbidsRetry: true)
            case .transport(let fault): Words(502, "upstream_error", Self.code(of: fault))
            case .signing: Words(502, "upstream_error", "signing_failed", forbidsRetry: true)
            case .noCredentials: Words(502, "upstream_error", "credentials_unavailable")
            }
    }

    private static func code(of fault: Failure.InvalidRequest) -> String? {
        switch fault {
        case .json: "invalid_json"
        case .type: "invalid_type"
        case .value: "invalid_value"
        case .missing: "missing_required_parameter"
        case .unsupportedParameter: "unsupported_parameter"
        case .unsupportedContent: "unsupported_content"
        case .unsupportedModel: "unsupported_model"
        case .tooManyValues: "too_many_values"
        case .tooManyMessages: "too_many_messages"
        case .tooManyParts: "too_many_parts"
        case .http: "bad_http_request"
        case .tlsRequired: "tls_required"
        case .configuration: "invalid_configuration"
        case .other: nil
        }
    }

    private static func unacceptable(_ fault: Failure.HTTPFault) -> Words {
        switch fault {
        case .method: Words(405, "invalid_request_error", "method_not_allowed")
        case .bodyTooLarge: Words(413, "invalid_request_error", "request_too_large")
        case .bodyTimedOut: Words(408, "timeout_error", "request_body_timeout")
        case .targetTooLong: Words(414, "invalid_request_error", "target_too_long")
        case .contentEncoding: Words(415, "invalid_request_error", "unsupported_content_encoding")
        case .otherConfiguration: Words(412, "invalid_request_error", "other_configuration", forbidsRetry: true)
        }
    }

    private static func failed(_ failure: Failure.UpstreamFailure, _ said: Failure.Said?) -> Words {
        switch failure {
        case .serverError: Words(502, "server_error", "upstream_error")
        case .reported: Words(502, "upstream_error", said?.code ?? "upstream_error")
        case .brokenOff: Words(502, "api_error", "upstream_error")
        case .incomplete: Words(502, "api_error", "upstream_stream_incomplete")
        case .empty: Words(502, "upstream_error", "upstream_empty_answer")
        case .invalid: Words(502, "upstream_error", "upstream_invalid_answer")
        }
    }

    private static func code(of fault: Failure.TransportFailure) -> String {
        switch fault {
        case .unreachable: "upstream_unreachable"
        case .connectTimedOut: "upstream_timeout"
        case .connectionLost, .responseCut: "upstream_connection_lost"
        case .malformed: "upstream_invalid_answer"
        case .tooLarge: "response_too_large"
        case .other: "upstream_failed"
        }
    }
}
