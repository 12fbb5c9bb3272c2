/// One account or provider: how to call it, and everything that changes about it while the process runs.
///
/// The backend itself is immutable and is called without this actor: a signature or a network call must never stand in
/// the way of somebody who only asks how the account is doing. The actor owns the permits, the breaker, the cooldown, the
/// health and the statistics, as one value (`UpstreamState`) that decides without I/O.
///
/// All upstreams and the router share one executor (`RoutingDomain`), so that a routing decision, which looks at several
/// upstreams and takes one, happens at one moment (docs/decisions/0008-one-routing-domain.md).
actor Upstream {
    /// What the configuration says about it.
    struct Settings: Sendable, Equatable {
        /// 1...1000.
        var weight = 1
        /// Requests in flight.
        var maxConcurrency = 50
        /// Upstreams with the same number share one throttle at Oracle: those of one tenancy in one region.
        var throttle = 0
        var breaker = CircuitBreaker.Settings()
    }

    /// Its place in the router's list.
    nonisolated let index: Int
    nonisolated let backend: any Backend
    nonisolated var id: String { backend.id }
    private let domain: RoutingDomain
    private(set) var settings: Settings
    private(set) var state: UpstreamState

    nonisolated var unownedExecutor: UnownedSerialExecutor { domain.unownedExecutor }

    init(_ backend: any Backend, at index: Int, _ settings: Settings, in domain: RoutingDomain) {
        self.index = index
        self.backend = backend
        self.settings = settings
        self.domain = domain
        state = UpstreamState(maxConcurrency: settings.maxConcurrency, breaker: settings.breaker)
    }

    func view(at now: Duration) -> UpstreamView {
        UpstreamView(
            standing: state.standing(at: now), inFlight: state.permits.inUse, weight: settings.weight,
            isFailing: state.breaker.consecutiveFailures > 0, throttle: settings.throttle)
    }

    /// Takes a permit, at once. Only while the view says `.ready`.
    func admit(at now: Duration) -> UpstreamState.Pass { state.admit(at: now) }

    /// Gives it back. The router then serves whoever waits for it.
    ///
    /// - Returns: what the breaker is now, when the ending has changed that.
    func end(_ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) -> CircuitBreaker.State? {
        let before = state.breaker.state(at: now)
        state.end(pass, ending, at: now, jitter: jitter)
        let after = state.breaker.state(at: now)
        return before == after ? nil : after
    }

    /// Takes note of a health check.
    ///
    /// - Returns: whether the upstream was and is healthy.
    func note(_ probe: HealthRecord.Probe, at now: Duration, latency: Duration) -> (before: Bool, after: Bool) {
        let before = state.health.isHealthy
        state.note(probe, at: now, latency: latency)
        return (before, state.health.isHealthy)
    }

    /// The operator has changed what the configuration says about it. What is in flight and what is known stay.
    func reconfigure(_ settings: Settings) {
        self.settings = settings
        state.reconfigure(maxConcurrency: settings.maxConcurrency, breaker: settings.breaker)
    }

    /// Closes the breaker and ends a cooldown.
    func reset() { state.reset() }
}

/// The executor that the router and its upstreams share.
actor RoutingDomain {}
