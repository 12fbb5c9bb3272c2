import NIOHTTP1
import ProxyRouting

/// An API by which clients know failures.
enum ErrorForm: Sendable { case openAI, anthropic }

/// A failure in the words of the API that its client speaks, as a whole answer.
struct ClientError: Sendable {
    /// HTTP status, 400...599.
    let status: Int
    /// The word for programs, for the log.
    let code: String?
    let response: Response

    /// - Parameters:
    ///   - requestID: some APIs tell it in their errors.
    ///   - isAggregator: the users of that mode know a missing key in another form.
    init(_ failure: Failure, in form: ErrorForm, requestID: String, isAggregator: Bool = false) {
        let isOfKey = isAggregator && failure.kind == .unauthorized
        var failure = failure
        if isOfKey { failure.message.replace("as api_key in the config file", with: "among tokens in the config file") }
        switch form {
        case .anthropic: self.init(AnthropicError(failure, requestID: requestID))
        case .openAI: self.init(isOfKey ? OpenAIError(failure).asHTTPError : OpenAIError(failure))
        }
    }

    init(_ error: OpenAIError) {
        (status, code) = (error.status, error.code)
        response = Response(error)
    }

    init(_ error: AnthropicError) {
        (status, code) = (error.status, error.base.code)
        var response = Response.json(error.body, status: HTTPResponseStatus(statusCode: error.status))
        response.headers.add(contentsOf: error.base.headers)
        response.headers.add(name: "request-id", value: error.requestID)
        self.response = response
    }
}
