/// An error in the form of the OpenAI API, with all that its HTTP answer needs.
///
/// Every layer's failure ends as one of these: `{"error":{"message","type","param","code"}}`, all four members always
/// there, since strict clients refuse a body that lacks one.
struct APIError: Error, Equatable, Sendable {
    /// HTTP status, 400...599.
    var status: Int
    /// What is wrong and how to mend it, in clear words; never a secret.
    var message: String
    /// OpenAI's `type`, such as `invalid_request_error`.
    var type: String
    /// The request field that is to blame, such as `messages[2].content`.
    var param: String?
    /// A word for programs, such as `model_not_found`.
    var code: String?
    /// Seconds after which a retry may succeed; becomes `retry-after`.
    var retryAfter: Int?
    /// `code` is the status as a number: the form that users of aggregators know.
    var tellsStatusAsCode = false
    /// How the client's key stands when it has asked too often; becomes the `x-ratelimit` headers.
    var rate: RequestBucket.Standing?
    /// What the failure speaks of, where an upstream's words say more than the status.
    var kind: FailureKind?
    /// The HTTP status of the upstream's refusal; nil where it gave none.
    var upstreamStatus: Int?
    /// The upstream has reported it under a status of success.
    var isUnderSuccess = false
    /// `x-should-retry: false`: the official clients retry 409, 429 and 5xx on their own unless told not to.
    var forbidsRetry: Bool

    init(
        status: Int, message: String, type: String, param: String? = nil, code: String? = nil,
        retryAfter: Int? = nil, forbidsRetry: Bool = false, kind: FailureKind? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.retryAfter = retryAfter
        self.forbidsRetry = forbidsRetry
        self.kind = kind
    }

    /// A request that cannot be served as it stands: 400 `invalid_request_error`.
    static func invalidRequest(_ message: String, param: String?, code: String? = nil) -> APIError {
        APIError(status: 400, message: message, type: "invalid_request_error", param: param, code: code)
    }

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
