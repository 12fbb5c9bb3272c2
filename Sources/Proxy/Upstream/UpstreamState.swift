/// All that changes about one upstream, and whether it may be asked now. The actor is a shell around it.
package struct UpstreamState: Sendable {
    /// What an admission has to be given back with.
    package struct Pass: Sendable, Equatable {
        fileprivate let breaker: CircuitBreaker.Pass
        fileprivate let cooldown: Cooldown.Pass
        package let admittedAt: Duration
    }

    /// Whether a request may be sent.
    package enum Standing: Equatable, Sendable {
        case ready
        /// All permits are out, or as many as it takes at once, as far as one knows; the next one that comes back will do.
        case full
        /// Out of use. `until` is nil when nobody knows for how long.
        case resting(until: Duration?, isThrottled: Bool)
    }

    package private(set) var permits: PermitCounter
    private var estimate: ConcurrencyEstimate
    package private(set) var breaker: CircuitBreaker
    package private(set) var cooldown = Cooldown()
    package private(set) var health = HealthRecord()
    package private(set) var statistics = UpstreamStatistics()

    package init(maxConcurrency: Int, breaker: CircuitBreaker.Settings) {
        permits = PermitCounter(limit: maxConcurrency)
        estimate = ConcurrencyEstimate(limit: maxConcurrency)
        self.breaker = CircuitBreaker(breaker)
    }

    package func standing(at now: Duration) -> Standing {
        if !health.isHealthy { return .resting(until: nil, isThrottled: false) }
        if let until = cooldown.until(at: now) { return .resting(until: until, isThrottled: true) }
        guard breaker.admits(at: now) else {
            // A probe is under way: it may be over at any moment, so ask again soon.
            return .resting(until: breaker.retryAt ?? now + .seconds(1), isThrottled: false)
        }
        return permits.hasRoom && estimate.hasRoom(besides: permits.inUse) ? .ready : .full
    }

    /// Takes a permit. Only while `standing` is `.ready`.
    package mutating func admit(at now: Duration) -> Pass {
        permits.take()
        statistics.begin()
        return Pass(breaker: breaker.admit(at: now), cooldown: cooldown.pass, admittedAt: now)
    }

    /// Gives the permit back and takes note of what came of it.
    ///
    /// - Parameter jitter: 0 ..< 1.
    package mutating func end(_ pass: Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) {
        permits.giveBack()
        breaker.record(ending.outcome.vote, of: pass.breaker, at: now)
        switch ending.outcome {
        case .rateLimited(let seconds):
            estimate.throttled(inFlight: permits.inUse, isNew: pass.cooldown == cooldown.pass)
            cooldown.throttled(retryAfter: seconds.map { .seconds($0) }, of: pass.cooldown, at: now, jitter: jitter)
        case .succeeded:
            estimate.succeeded(inFlight: permits.inUse + 1, limit: permits.limit)
            cooldown.succeeded(pass.cooldown)
        case .abandoned, .refused, .promptTooLong, .failed, .timedOut, .credentialsRefused, .modelUnavailable: break
        }
        statistics.end(ending, at: now, took: now - pass.admittedAt)
    }

    /// The operator has changed the limits. What is in flight stays, and so does everything that is known of the upstream.
    package mutating func reconfigure(maxConcurrency: Int, breaker settings: CircuitBreaker.Settings) {
        estimate.limitChanged(from: permits.limit, to: maxConcurrency)
        permits.limit = maxConcurrency
        breaker.settings = settings
    }

    package mutating func note(_ probe: HealthRecord.Probe, at now: Duration, latency: Duration) {
        health.record(probe, at: now, latency: latency)
    }

    /// The operator's word that the upstream is well again: closes the breaker and ends a cooldown.
    package mutating func reset() {
        breaker.reset()
        cooldown.reset()
        estimate = ConcurrencyEstimate(limit: permits.limit)
    }
}
