import ProxyRouting

/// What went wrong with the call to an upstream itself, rather than what the upstream said.
///
/// The message names the upstream, which helps the operator, and never a key.
enum UpstreamFault {
    /// - Parameter error: as it was thrown.
    /// - Returns: nil for a cancellation: then the client is gone and nobody is to be told.
    static func failure(_ error: any Error, account: String) -> Failure? {
        switch error {
        case is CancellationError: nil
        case let error as Failure: error
        case let error as MovingDeadline.Exceeded: timeout(error.cause, account: account)
        case let error as TransportError: transport(error, account: account)
        case let error as PrivateKeyError:
            Failure(.signing, "The request could not be signed for account '\(account)': \(error)")
        case let error as CredentialFailure:
            Failure(.noCredentials, "No credentials are available for account '\(account)': \(error).")
        default: Failure(.transport(.other), "The call to account '\(account)' failed (\(type(of: error))).")
        }
    }

    private static func timeout(_ cause: DeadlineCause, account: String) -> Failure {
        let what =
            switch cause {
            case .request:
                "did not answer within request_timeout (in a JSON file, non_stream_timeout)"
            case .head: "sent no response head within head_timeout"
            case .firstToken: "sent no first event within first_token_timeout"
            case .idleTimeout, .tail: "sent nothing for longer than stream_timeout in the middle of the response"
            case .rescue: "did not catch up with the response within rescue_timeout"
            case .slowClient: "was not read further because the client read nothing for longer than stream_timeout"
            }
        let advice =
            switch cause {
            case .head, .firstToken:
                "Try again. For a reasoning model the operator may have to raise that limit."
            case .slowClient: "Read faster, or ask for a shorter answer."
            case .request, .idleTimeout, .tail, .rescue: "Try again, or ask for a shorter answer."
            }
        return Failure(.deadline(cause), "Upstream '\(account)' \(what). \(advice)")
    }

    private static func transport(_ error: TransportError, account: String) -> Failure {
        let (fault, what): (Failure.TransportFailure, String) =
            switch error {
            case .cannotConnect(let reason): (.unreachable, "could not be reached: \(reason).")
            case .connectTimeout:
                (.connectTimedOut, "could not be reached in time. Check its endpoint and the network.")
            case .tls(let reason): (.unreachable, "could not be reached over TLS: \(reason).")
            case .connectionLost(let reason): (.connectionLost, "disconnected: \(reason).")
            case .answerCut(let reason): (.responseCut, "disconnected: \(reason).")
            case .malformedAnswer(let reason): (.malformed, "sent an invalid HTTP response: \(reason).")
            case .tooLarge(let limit):
                (
                    .tooLarge,
                    "returned a response of more than \(limit) bytes, the limit of this proxy (max_response_size)."
                )
            }
        return Failure(.transport(fault), "Upstream '\(account)' \(what)")
    }
}
