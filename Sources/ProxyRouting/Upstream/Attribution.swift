/// Whom the end of an attempt speaks against, and what may be done next: the one table that decides it (for people it is in docs/routing.md).
/// What an answer teaches belongs to what it speaks of, and to nothing else.
package struct Attribution: Equatable, Sendable {
    /// What a circuit breaker is to count.
    package enum Vote: Equatable, Sendable { case success, failure, neither }

    /// Who is to be left alone for a while.
    package enum Rest: Equatable, Sendable {
        /// The model at this upstream. A throttle says that fewer requests would have been answered.
        case model(retryAfter: Int?, isThrottle: Bool)
        /// All that this upstream serves.
        case upstream(retryAfter: Int?)
    }

    /// Where the request may go next.
    package enum Next: Equatable, Sendable {
        case backToClient
        /// To candidates that have not failed it so far: a pause would not mend this one.
        case otherCandidates
        /// Also to this one again, after a pause.
        case anyCandidate
    }

    /// What answers of the last moments say where a failure does not say of what it speaks: the credentials and the way that others have just
    /// been answered with are good (`RecentSuccess`).
    package enum Evidence: Equatable, Sendable, CaseIterable {
        case none
        /// The upstream has answered for another model.
        case ofOtherModels
        /// It has answered for this one.
        case ofThisModel
    }

    /// For the breaker of the model at this upstream.
    package let model: Vote
    /// For the breaker of the upstream itself.
    package let upstream: Vote
    package let rest: Rest?
    package let next: Next

    private init(model: Vote, upstream: Vote, rest: Rest? = nil, next: Next) {
        self.model = model
        self.upstream = upstream
        self.rest = rest
        self.next = next
    }

    /// - Parameters:
    ///   - hadUsualTime: the attempt had at least the time in which this model usually answers. Only `outOfTime` depends on it.
    ///   - evidence: only outcomes that are `isDoubtful` depend on it.
    package init(_ outcome: AttemptOutcome, hadUsualTime: Bool = true, evidence: Evidence = .none) {
        self =
            switch outcome {
            case .succeeded: Attribution(model: .success, upstream: .success, next: .backToClient)
            case .abandoned, .refused, .promptTooLong:
                Attribution(model: .neither, upstream: .neither, next: .backToClient)
            case .interrupted: Attribution(model: .neither, upstream: .neither, next: .anyCandidate)
            case .modelNotAllowed, .modelUnavailable:
                Attribution(model: .neither, upstream: .neither, next: .otherCandidates)
            // The upstream has answered, so there is a way to it.
            case .failed: Attribution(model: .failure, upstream: .success, next: .anyCandidate)
            case .unavailable(let seconds):
                Attribution(
                    model: .failure, upstream: .success,
                    rest: seconds.map { .model(retryAfter: $0, isThrottle: false) }, next: .anyCandidate)
            case .timedOut: Attribution(model: .failure, upstream: .neither, next: .otherCandidates)
            case .outOfTime:
                Attribution(model: hadUsualTime ? .failure : .neither, upstream: .neither, next: .otherCandidates)
            case .rateLimited(let seconds):
                Attribution(
                    model: .neither, upstream: .neither, rest: .model(retryAfter: seconds, isThrottle: true),
                    next: .anyCandidate)
            case .unreachable: Attribution(model: .neither, upstream: .failure, next: .anyCandidate)
            case .connectTimedOut: Attribution(model: .neither, upstream: .failure, next: .otherCandidates)
            case .credentialsRefused: Attribution(model: .neither, upstream: .failure, next: .otherCandidates)
            case .accountExhausted(let seconds):
                Attribution(
                    model: .neither, upstream: .neither, rest: .upstream(retryAfter: seconds), next: .otherCandidates)
            case .brokenOff:
                Attribution(
                    model: evidence == .none ? .neither : .failure, upstream: evidence == .none ? .failure : .neither,
                    next: .anyCandidate)
            case .credentialsDoubted:
                Attribution(
                    model: evidence == .ofOtherModels ? .failure : .neither,
                    upstream: evidence == .none ? .failure : .neither, next: .otherCandidates)
            case .accountDoubted(let seconds):
                Attribution(
                    model: evidence == .ofOtherModels ? .failure : .neither, upstream: .neither,
                    rest: evidence == .none ? .upstream(retryAfter: seconds) : nil, next: .otherCandidates)
            }
    }
}
