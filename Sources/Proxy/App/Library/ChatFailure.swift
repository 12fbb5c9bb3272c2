import ProxyRouting

/// Why a chat has no answer, or not a whole one: what a client of the API would be told.
public struct ChatFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// HTTP status, 400...599.
    public let status: Int
    /// What is wrong and how to fix it.
    public let message: String
    /// A class of errors of OpenAI's API, such as `invalid_request_error`.
    public let type: String
    /// A word for programs, such as `model_not_found`.
    public let code: String?
    /// The field of the request that is to blame.
    public let parameter: String?
    /// Seconds after which another try may succeed.
    public let retryAfter: Int?

    public var description: String { "\(status) \(code ?? type): \(message)" }

    init(_ failure: Failure) {
        let told = OpenAIError(failure)
        (status, message, type, code) = (told.status, told.message, told.type, told.code)
        (parameter, retryAfter) = (told.param, told.retryAfter)
    }

    /// - Parameter document: in OpenAI's form, as responses and events of streams tell errors.
    init(status: Int, document: [UInt8], retryAfter: Int?) {
        let error = (try? JSONDocument(parsing: document))?.root.present("error")
        self.status = status
        message = error?["message"]?.string ?? "The chat has failed with status \(status)."
        type = error?["type"]?.string ?? "api_error"
        code = error?["code"]?.string
        parameter = error?["param"]?.string
        self.retryAfter = retryAfter
    }
}
