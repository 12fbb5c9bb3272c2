/// From what a failure speaks of to what it means for routing. The only place that decides it.
package enum OutcomeClassifier {
    package static func outcome(of failure: Failure) -> AttemptOutcome {
        switch failure.kind {
        case .refused, .parameterRefused, .formatRefused, .contentFiltered, .unusable, .invalidRequest, .unacceptable,
            .unauthorized, .forbidden, .budgetExceeded, .conflict, .notFound(.path), .notFound(.account),
            .notFound(.key), .notFound(.request):
            .refused
        case .promptTooLong: .promptTooLong
        case .modelNotAllowed: .modelNotAllowed
        case .modelGone, .notFound(.model): .modelUnavailable
        case .throttled, .rateLimited, .tokensLimited, .concurrencyLimited, .noUpstreamAvailable(isThrottled: true):
            .rateLimited(retryAfter: failure.retryAfter)
        case .accountExhausted: .accountExhausted(retryAfter: failure.retryAfter)
        case .accountDoubted: .accountDoubted(retryAfter: failure.retryAfter)
        case .credentialsRefused, .signing, .noCredentials: .credentialsRefused
        case .credentialsDoubted: .credentialsDoubted
        case .unavailable, .overloaded, .shuttingDown, .noUpstreamAvailable(isThrottled: false):
            .unavailable(retryAfter: failure.retryAfter)
        case .failed, .internalError: .failed
        case .timedOut: .timedOut
        case .deadline(let cause): outcome(of: cause)
        case .transport(let fault): outcome(of: fault)
        }
    }

    private static func outcome(of cause: DeadlineCause) -> AttemptOutcome {
        switch cause {
        case .request: .outOfTime
        case .head, .firstToken, .idleTimeout: .timedOut
        // It says nothing about the upstream: the client took nothing.
        // So is repeating a long answer, however fast.
        case .slowClient, .rescue: .abandoned
        // The response was complete; only the terminator is missing.
        case .tail: .succeeded
        }
    }

    private static func outcome(of fault: Failure.TransportFailure) -> AttemptOutcome {
        switch fault {
        case .connectTimedOut: .connectTimedOut
        case .unreachable, .other: .unreachable
        case .connectionLost: .brokenOff
        case .responseCut, .malformed: .failed
        case .tooLarge: .refused
        }
    }
}
