/// What the end of one attempt at an upstream means for routing: whether it speaks against the upstream, and what may be
/// done next. Classified once, here; breaker, cooldown and failover only ask.
package enum AttemptOutcome: Equatable, Sendable {
    /// The answer was complete.
    case succeeded
    /// The client left, or took nothing of what was ready for it: says nothing about the upstream, and nobody is waiting.
    case abandoned
    /// The request's own fault, or an answer that would be no smaller elsewhere: goes back to the client as it is.
    case refused
    /// The prompt is longer than the model takes: another model may take it, another upstream will not.
    case promptTooLong
    /// The upstream failed: unreachable, broken off, 5xx, or an answer that is none.
    case failed
    /// It was too slow, and is not asked a second time in the same request.
    case timedOut
    /// It throttles; seconds until it wants to be asked again, where it says so.
    case rateLimited(retryAfter: Int?)
    /// It refuses the operator's credentials, or they could not sign.
    case credentialsRefused
    /// It does not serve this model, or no longer, or not to this account: OCI answers all of them alike.
    case modelUnavailable

    /// What a circuit breaker is to count.
    package enum Vote: Equatable, Sendable { case success, failure, neither }

    package var vote: Vote {
        switch self {
        case .succeeded: .success
        case .failed, .timedOut, .credentialsRefused: .failure
        case .abandoned, .refused, .promptTooLong, .rateLimited, .modelUnavailable: .neither
        }
    }

    /// The reason is the upstream's own, so another may do better with the same request.
    package var mayMoveOn: Bool {
        switch self {
        case .failed, .timedOut, .rateLimited, .credentialsRefused, .modelUnavailable: true
        case .succeeded, .abandoned, .refused, .promptTooLong: false
        }
    }

    /// With no other candidate left, the same upstream may be asked again after a pause. Not when it was too slow, nor when
    /// it refuses the credentials or the model: a pause mends neither, so it is no candidate any more.
    package var mayRepeat: Bool {
        switch self {
        case .failed, .rateLimited: true
        case .succeeded, .abandoned, .refused, .promptTooLong, .timedOut, .credentialsRefused, .modelUnavailable: false
        }
    }
}
