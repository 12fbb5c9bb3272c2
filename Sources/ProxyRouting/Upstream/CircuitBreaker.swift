/// Keeps requests away from an upstream, or from one of its models, that fails.
///
/// Closed until too many failures in a row or too large a share of them; then open for a while; then half-open, with one
/// request at a time as a probe. Each admission hands out the epoch in which it was given: what a request from before the
/// last change of state has to say no longer counts, so a slow success of yesterday closes nothing and a late failure opens
/// nothing.
package struct CircuitBreaker: Sendable {
    package struct Settings: Equatable, Sendable {
        /// Failures in a row that open it.
        package var maxFailures: Int
        /// How long it stays open.
        package var resetTimeout: Duration
        /// The share of failures among the requests of the last 60 s that opens it, above 0 and at most 1.
        package var failureRate: Double
        /// Fewer requests in that window say nothing about a share.
        package var minRequests: Int

        package init(
            maxFailures: Int = 5, resetTimeout: Duration = .seconds(60), failureRate: Double = 0.6,
            minRequests: Int = 10
        ) {
            self.maxFailures = maxFailures
            self.resetTimeout = resetTimeout
            self.failureRate = failureRate
            self.minRequests = minRequests
        }
    }

    /// What a person sees.
    package enum State: String, Equatable, Sendable, CaseIterable {
        case closed, open
        case halfOpen = "half_open"
    }

    /// Proof of an admission.
    package struct Pass: Equatable, Sendable { fileprivate let epoch: UInt64 }

    private enum Phase: Equatable {
        case closed
        case open(until: Duration)
        /// With the moment at which its probe was admitted, while there is one; and until when it would be open, if the probe came before.
        case halfOpen(probedSince: Duration?, openUntil: Duration? = nil)
    }

    private var phase = Phase.closed
    private var epoch: UInt64 = 0
    private var window = RollingCounts(seconds: 60, step: 5)
    /// Failures since the last success.
    package private(set) var consecutiveFailures = 0
    /// When it opened last; nil while it is closed.
    package private(set) var openedAt: Duration?

    package init() {}

    /// Whether a request may pass now.
    package func admits(at now: Duration) -> Bool {
        switch phase {
        case .closed: true
        case .open(let until): now >= until
        case .halfOpen(let probedSince, _): probedSince == nil
        }
    }

    /// Until when it keeps requests away: nil when it does not, `.some(nil)` when nobody knows, as a probe takes its time.
    package func holds(at now: Duration) -> Duration?? {
        switch phase {
        case .closed, .halfOpen(probedSince: nil, _): nil
        case .open(let until): now >= until ? nil : .some(until)
        case .halfOpen(let since?, _): .some(since + Patience.limit > now ? since + Patience.limit : nil)
        }
    }

    /// An open breaker whose time is up is half-open for whoever looks: the next request is its probe.
    package func state(at now: Duration) -> State {
        switch phase {
        case .closed: .closed
        case .open(let until): now >= until ? .halfOpen : .open
        case .halfOpen: .halfOpen
        }
    }

    /// When an open breaker lets its probe pass; nil in every other state.
    package var retryAt: Duration? {
        if case .open(let until) = phase { until } else { nil }
    }

    /// A probe is under way, and nothing has come of it yet.
    package var isProbed: Bool {
        if case .halfOpen(.some, _) = phase { true } else { false }
    }

    /// Closed, and no failure is remembered.
    package func isUntouched(at now: Duration) -> Bool {
        phase == .closed && consecutiveFailures == 0 && window(at: now).failures == 0
    }

    /// Requests and failures in the last 60 s.
    package func window(at now: Duration) -> (requests: Int, failures: Int) {
        let totals = window.totals(at: now)
        return (totals.events, totals.marked)
    }

    /// Lets a request pass. Only when `admits` says so, or as a last resort, which makes an open breaker half-open before its time.
    package mutating func admit(isLastResort: Bool = false, at now: Duration) -> Pass {
        precondition(admits(at: now) || isLastResort && !isProbed, "the breaker does not admit requests: \(phase)")
        switch phase {
        case .closed: break
        case .open(let until):
            phase = .halfOpen(probedSince: now, openUntil: until > now ? until : nil)
            epoch += 1
        case .halfOpen(_, let until):
            phase = .halfOpen(probedSince: now, openUntil: until)
            epoch += 1
        }
        return Pass(epoch: epoch)
    }

    /// A probe is decided when its answer has begun.
    ///
    /// - Returns: what the request goes on with: a failure in the middle of its answer counts like any other.
    package mutating func begun(_ pass: Pass, at now: Duration) -> Pass {
        guard pass.epoch == epoch, phase != .closed else { return pass }
        close()
        return Pass(epoch: epoch)
    }

    /// Counts how a request has ended; `.neither` only gives a probe's place back.
    ///
    /// - Parameter isRepeated: the same request has failed here before, and has been counted.
    package mutating func record(
        _ vote: Attribution.Vote, of pass: Pass, isRepeated: Bool = false, by settings: Settings, at now: Duration
    ) {
        guard pass.epoch == epoch else { return }
        switch (vote, phase) {
        case (.neither, .halfOpen(_, let until?)): phase = .open(until: until)
        case (.neither, .halfOpen): phase = .halfOpen(probedSince: nil)
        case (.neither, _): break
        case (.success, .halfOpen): close()
        case (.success, _):
            consecutiveFailures = 0
            window.add(events: 1, at: now)
        case (.failure, .closed) where isRepeated: break
        case (.failure, _):
            consecutiveFailures += 1
            window.add(events: 1, marked: 1, at: now)
            if phase != .closed || hasFailedEnough(by: settings, at: now) { open(for: settings.resetTimeout, at: now) }
        }
    }

    /// An open breaker is half-open from now on: something else than a request has found the upstream well.
    package mutating func allowProbe(at now: Duration) {
        if case .open(let until) = phase, until > now { phase = .open(until: now) }
    }

    /// Somebody else has found the upstream failing: one request finds out. A breaker that is not closed knows better.
    ///
    /// - Returns: whether that is news here.
    package mutating func doubt(at now: Duration) -> Bool {
        guard phase == .closed else { return false }
        phase = .open(until: now)
        epoch += 1
        openedAt = now
        return true
    }

    /// Closes it and forgets what it knew, whatever its state.
    package mutating func reset() { close() }

    private func hasFailedEnough(by settings: Settings, at now: Duration) -> Bool {
        if consecutiveFailures >= settings.maxFailures { return true }
        let (requests, failures) = window(at: now)
        return requests >= settings.minRequests && Double(failures) >= settings.failureRate * Double(requests)
    }

    private mutating func open(for time: Duration, at now: Duration) {
        phase = .open(until: now + time)
        epoch += 1
        openedAt = now
    }

    private mutating func close() {
        phase = .closed
        epoch += 1
        openedAt = nil
        consecutiveFailures = 0
        window.removeAll()
    }
}
