/// From the error that ended an attempt to what it means for routing. The only place that decides it.
enum OutcomeClassifier {
    /// - Parameter error: as it was thrown, before `UpstreamFault` puts it into words: a client that reads too slowly and an
    ///   upstream that answers too slowly look the same to the client, but only one of them is the upstream's failure.
    static func outcome(of error: any Error) -> AttemptOutcome {
        switch error {
        case is CancellationError: .abandoned
        case let error as APIError: outcome(of: error)
        case let error as MovingDeadline.Exceeded: outcome(of: error.cause)
        case let error as TransportError: outcome(of: error)
        case is PrivateKeyError, is CredentialFailure: .credentialsRefused
        // The way to the upstream failed in a manner unknown to us.
        default: .unreachable
        }
    }

    /// What the upstream said, as translated by those who read its words, or what is wrong with its answer.
    private static func outcome(of error: APIError) -> AttemptOutcome {
        if let kind = error.kind { return outcome(of: kind, retryAfter: error.retryAfter) }
        return switch (error.status, error.code) {
        case (_, "upstream_auth_failed"): .credentialsRefused
        case (_, "context_length_exceeded"): .promptTooLong
        case (404, _): .modelUnavailable
        case (429, "insufficient_quota"): .accountExhausted(retryAfter: error.retryAfter)
        case (429, _): .rateLimited(retryAfter: error.retryAfter)
        case (503, _): .unavailable(retryAfter: error.retryAfter)
        case (504, _): .timedOut
        case (500..., _): .failed
        default: .refused
        }
    }

    private static func outcome(of kind: FailureKind, retryAfter: Int?) -> AttemptOutcome {
        switch kind {
        case .request, .wrongKind: .refused
        case .promptTooLong: .promptTooLong
        case .modelNotAllowed: .modelNotAllowed
        case .modelGone: .modelUnavailable
        case .throttled: .rateLimited(retryAfter: retryAfter)
        case .accountExhausted: .accountExhausted(retryAfter: retryAfter)
        case .accountDoubted: .accountDoubted(retryAfter: retryAfter)
        case .credentialsRefused: .credentialsRefused
        case .credentialsDoubted: .credentialsDoubted
        case .unavailable: .unavailable(retryAfter: retryAfter)
        case .failed: .failed
        case .timedOut: .timedOut
        }
    }

    private static func outcome(of cause: MovingDeadline.Cause) -> AttemptOutcome {
        switch cause {
        case .request: .outOfTime
        case .head, .firstToken, .silence: .timedOut
        case .slowClient: .abandoned
        // It has said all that it had to say, only not goodbye.
        case .tail: .succeeded
        }
    }

    private static func outcome(of error: TransportError) -> AttemptOutcome {
        switch error {
        case .connectTimeout: .connectTimedOut
        case .cannotConnect, .tls: .unreachable
        case .connectionLost: .brokenOff
        case .answerCut, .malformedAnswer: .failed
        case .tooLarge: .refused
        }
    }
}
