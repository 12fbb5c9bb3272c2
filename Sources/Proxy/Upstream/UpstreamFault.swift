/// The error that a client sees when the call to an upstream itself went wrong, rather than what the upstream said.
///
/// The message names the account, which helps the operator, and never a key.
enum UpstreamFault {
    /// - Returns: nil for a cancellation: then the client is gone and nobody is to be told.
    static func apiError(_ error: any Error, account: String) -> APIError? {
        switch error {
        case is CancellationError: nil
        case let error as APIError: error
        case let error as MovingDeadline.Exceeded: timeout(error.cause, account: account)
        case let error as TransportError: transport(error, account: account)
        case let error as PrivateKeyError:
            APIError(
                status: 502, message: "The request could not be signed for account '\(account)': \(error)",
                type: "upstream_error", code: "signing_failed", forbidsRetry: true)
        case let error as CredentialFailure:
            APIError(
                status: 502, message: "There are no credentials for account '\(account)' at the moment: \(error).",
                type: "upstream_error", code: "credentials_unavailable")
        default:
            APIError(
                status: 502, message: "The call to account '\(account)' failed (\(type(of: error))).",
                type: "upstream_error", code: "upstream_failed")
        }
    }

    private static func timeout(_ cause: MovingDeadline.Cause, account: String) -> APIError {
        let what =
            switch cause {
            case .request: "did not answer in the time that a request has (request_timeout, in a JSON file non_stream_timeout)"
            case .head: "sent no response head within head_timeout"
            case .firstToken: "sent no first event within first_token_timeout"
            case .silence, .tail: "fell silent in the middle of the answer for longer than stream_timeout"
            case .slowClient: "could not be read on, since the client took nothing for longer than stream_timeout"
            }
        return APIError(
            status: 504, message: "Account '\(account)' \(what). Try again, or ask for a shorter answer.",
            type: "timeout_error", code: "upstream_timeout")
    }

    private static func transport(_ error: TransportError, account: String) -> APIError {
        switch error {
        case .cannotConnect(let reason): upstreamError("could not be reached: \(reason)", account, code: "upstream_unreachable")
        case .connectTimeout:
            APIError(
                status: 504, message: "Account '\(account)' could not be reached in time. Check its endpoint and the network.",
                type: "timeout_error", code: "upstream_timeout")
        case .tls(let reason): upstreamError("could not be reached over TLS: \(reason)", account, code: "upstream_unreachable")
        case .connectionLost(let reason), .answerCut(let reason): upstreamError("broke off: \(reason)", account, code: "upstream_connection_lost")
        case .malformedAnswer(let reason): upstreamError("did not answer in HTTP: \(reason)", account, code: "upstream_invalid_answer")
        case .tooLarge(let limit):
            upstreamError(
                "gave an answer of more than \(limit) bytes, the limit of this proxy (max_response_size)", account, code: "response_too_large")
        }
    }

    private static func upstreamError(_ what: String, _ account: String, code: String) -> APIError {
        APIError(status: 502, message: "Account '\(account)' \(what).", type: "upstream_error", code: code)
    }
}
