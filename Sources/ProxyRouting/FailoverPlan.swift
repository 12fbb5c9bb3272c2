/// What one request has tried so far, and what it may still do.
///
/// First each upstream that may serve it, at once; then, after a pause, those among them once more for which a pause may help.
package struct FailoverPlan: Sendable {
    package static let firstPause = Duration.milliseconds(250)
    package static let longestPause = Duration.seconds(5)
    /// Those who wait for the same moment come one after the other.
    package static let spread = Duration.milliseconds(100)

    private let accepts: UpstreamSet
    private let attemptsAllowed: Int
    /// On what terms the next attempt is wanted.
    package private(set) var terms: RouteRequest.Terms
    package private(set) var attempts = 0
    private var pauses = 0
    private var triedThisRound = UpstreamSet() { didSet { restrictTerms() } }
    /// Not to be asked again by this request.
    private var spent = UpstreamSet() { didSet { restrictTerms() } }
    /// Where a failure of the model has been counted.
    package private(set) var countedModels = UpstreamSet()
    /// Where one of the upstream itself has.
    package private(set) var countedUpstreams: UpstreamSet
    /// Those that have asked this request to come back later, and when.
    package private(set) var notBefore: [Int: Duration] = [:]
    private var verdict: (error: Failure, rank: Int)?

    /// - Parameters:
    ///   - retryAttempts: further attempts after the first.
    ///   - countedUpstreams: those against which the request has counted with another model.
    ///   - earlier: what the request has met in an answer that has broken off.
    ///   - isRetry: the first attempt counts as a retry already: another upstream has failed the request.
    package init(
        accepts: UpstreamSet, model: String = "", retryAttempts: Int, countedUpstreams: UpstreamSet? = nil,
        earlier: EarlierFailures? = nil, isRetry: Bool = false
    ) {
        self.countedUpstreams = countedUpstreams ?? earlier?.upstreams ?? UpstreamSet()
        if let earlier { countedModels = earlier.ofModel }
        self.accepts = accepts
        attemptsAllowed = 1 + retryAttempts
        terms = RouteRequest.Terms(accepts: accepts, model: model)
        terms.isRetry = isRetry
    }

    /// Those that may be asked again after a pause.
    package var repeatable: UpstreamSet { accepts.subtracting(spent) }

    /// What to tell the client when nothing else can be done; nil as long as nothing has been tried.
    ///
    /// Of several failures the last, but a refusal of credentials or of the model only when there was nothing else: it would
    /// tell the client that no retry can help.
    package var error: Failure? { verdict?.error }

    /// Takes note of an attempt that failed for its upstream's own reason.
    ///
    /// - Returns: whether there may be another one.
    package mutating func note(_ outcome: AttemptOutcome, _ error: Failure, at upstream: Int, _ now: Duration) -> Bool {
        let rank =
            switch outcome {
            case .modelNotAllowed, .modelUnavailable: 0
            case .credentialsRefused, .credentialsDoubted, .accountExhausted, .accountDoubted: 1
            case .succeeded, .abandoned, .interrupted, .refused, .promptTooLong, .failed, .unavailable, .timedOut,
                .outOfTime, .rateLimited, .unreachable,
                .brokenOff, .connectTimedOut:
                2
            }
        if rank >= verdict?.rank ?? 0 { verdict = (error, rank) }
        return note(outcome, at: upstream, now)
    }

    /// The same without words for a client.
    package mutating func note(_ outcome: AttemptOutcome, at upstream: Int, _ now: Duration) -> Bool {
        attempts += 1
        notBefore[upstream] = outcome.retryAfter.map { now + .seconds($0) }
        if !outcome.mayRepeat { spent.insert(upstream) }
        triedThisRound.insert(upstream)
        terms.haveFailed.insert(upstream)
        terms.isRetry = true
        // Whatever the evidence was.
        for attribution in Attribution.Evidence.allCases.map({ Attribution(outcome, evidence: $0) }) {
            if attribution.model == .failure { countedModels.insert(upstream) }
            if attribution.upstream == .failure { countedUpstreams.insert(upstream) }
        }
        return attempts < attemptsAllowed
    }

    /// No upstream is left in this round: how long to wait before all that may be asked again are.
    ///
    /// - Parameters:
    ///   - outlook: of `repeatable`, none of them before the time that it has named (`notBefore`).
    ///   - jitter: 0 ..< 1.
    /// - Returns: nil when a pause leads nowhere.
    package mutating func pause(
        _ outlook: RouteRefusal.Outlook, at now: Duration, deadline: Duration, jitter: Double
    ) -> Duration? {
        guard attempts > 0, pauses < attemptsAllowed, let earliest = outlook.earliest,
            earliest - now <= Self.longestPause
        else { return nil }
        let backoff = min(Self.firstPause * (1 << min(pauses, 5)), Self.longestPause) * (0.75 + jitter / 2)
        let pause = max(backoff, earliest > now ? earliest - now + Self.spread * jitter : .zero)
        guard now + pause < deadline else { return nil }
        pauses += 1
        triedThisRound = UpstreamSet(repeatable.filter { (notBefore[$0] ?? now) > now + pause })
        return pause
    }

    private mutating func restrictTerms() { terms.accepts = accepts.subtracting(spent).subtracting(triedThisRound) }
}

/// What one request has met in an answer that has broken off: it counts once.
///
/// A class: nearly all requests have none.
package final class EarlierFailures: Sendable {
    /// Those that have failed it, with whatever model.
    package let upstreams: UpstreamSet
    /// Those that have with the model that is asked for now.
    package let ofModel: UpstreamSet

    package init(_ upstreams: UpstreamSet, ofModel: UpstreamSet) {
        (self.upstreams, self.ofModel) = (upstreams, ofModel)
    }
}
