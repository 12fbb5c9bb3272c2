/// How one attempt at an upstream has ended. Classified once (`OutcomeClassifier`); what each kind means for routing stands in `Attribution`.
package enum AttemptOutcome: Equatable, Sendable {
    /// The answer was complete.
    case succeeded
    /// The client left, or took nothing of what was ready for it: says nothing about the upstream, and nobody is waiting.
    case abandoned
    /// The proxy itself stood still meanwhile, so what went wrong says nothing.
    case interrupted
    /// The request's own fault, a refusal by a content filter, or an answer that would be no better elsewhere: goes back to the client as
    /// it is.
    case refused
    /// The prompt is longer than the model takes: another model may take it, another upstream will not.
    case promptTooLong
    /// The model is not for this account's region or tier.
    case modelNotAllowed
    /// The upstream does not serve this model, or no longer, or not to this account: OCI answers all of them alike.
    case modelUnavailable
    /// 5xx, or an answer that was cut, empty, or none.
    case failed
    /// The upstream asks to be left alone (503 and its like); seconds until it wants to be asked again, where it says so.
    case unavailable(retryAfter: Int?)
    /// The attempt had a limit of its own and passed it: no head, no first event, silence.
    case timedOut
    /// The request's time was over.
    case outOfTime
    /// The model is throttled; seconds until it wants to be asked again, where the upstream says so.
    case rateLimited(retryAfter: Int?)
    /// No connection, or no TLS.
    case unreachable
    /// A connection broke after a request had been sent, and before an answer.
    case brokenOff
    /// A connection could not be made in time.
    case connectTimedOut
    /// The upstream refuses the operator's credentials, or they could not sign.
    case credentialsRefused
    /// It refuses in a way that may speak of the credentials, of the model or of the request.
    case credentialsDoubted
    /// The account has no credit or quota left, or is restricted; seconds as above.
    case accountExhausted(retryAfter: Int?)
    /// The account may have no credit left, or not for this model or this request; seconds as above.
    case accountDoubted(retryAfter: Int?)

    /// The reason is the upstream's own, so another may do better with the same request.
    package var mayMoveOn: Bool { Attribution(self).next != .backToClient }

    /// With no other candidate left, the same upstream may be asked again after a pause.
    package var mayRepeat: Bool { Attribution(self).next == .anyCandidate }

    /// What it speaks of depends on what else is known.
    var isDoubtful: Bool {
        switch self {
        case .brokenOff, .credentialsDoubted, .accountDoubted: true
        default: false
        }
    }

    /// Seconds for which the upstream asks to be left alone.
    package var retryAfter: Int? {
        switch self {
        case .unavailable(let seconds), .rateLimited(let seconds), .accountExhausted(let seconds),
            .accountDoubted(let seconds):
            seconds
        case .succeeded, .abandoned, .interrupted, .refused, .promptTooLong, .modelNotAllowed, .modelUnavailable,
            .failed, .timedOut, .outOfTime, .unreachable,
            .brokenOff, .connectTimedOut, .credentialsRefused, .credentialsDoubted:
            nil
        }
    }
}
