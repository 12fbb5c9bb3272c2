import ProxyRouting

/// One account or provider: how to call it, and everything that changes about it while the process runs.
///
/// The backend itself is immutable and is called without this actor: a signature or a network call must never stand in
/// the way of somebody who only asks how the account is doing. The actor owns the permits, the breakers, the cooldowns, the
/// health and the statistics, its own and those of its models, as one value (`UpstreamState`) that decides without I/O.
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
        /// Upstreams with the same number share one throttle for each model at Oracle: those of one tenancy in one region.
        var throttle = 0
        var breaker = CircuitBreaker.Settings()
    }

    /// Its place in the router's list.
    nonisolated let index: Int
    nonisolated let backend: any Backend
    nonisolated var id: String { backend.id }
    private let domain: RoutingDomain
    /// When the process first had it.
    nonisolated let began: Duration
    private(set) var settings: Settings
    private(set) var state: UpstreamState

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe domain.unownedExecutor }

    init(
        _ backend: any Backend, at index: Int, _ settings: Settings, in domain: RoutingDomain,
        since began: Duration = .zero, sharingLimits: Bool = false
    ) {
        self.began = began
        self.index = index
        self.backend = backend
        self.settings = settings
        self.domain = domain
        state = UpstreamState(maxConcurrency: settings.maxConcurrency, breaker: settings.breaker)
        // Nothing, until it is known what the others have.
        if sharingLimits { state.shared = SharedCapacity.none }
    }

    /// As `UpstreamTable` asks for it.
    func view(of model: String, at now: Duration) -> UpstreamView { state.view(of: model, at: now) }
    func lastResort(for model: String, at now: Duration) -> Duration? { state.lastResort(for: model, at: now) }
    func safeTime(of model: String, isStreaming: Bool, at now: Duration) -> Duration? {
        state.safeTime(of: model, isStreaming: isStreaming, at: now)
    }
    func isFailing(_ model: String) -> Bool { state.isFailing(model) }
    func pace(of model: String, at now: Duration) -> Double? { state.pace(of: model, at: now) }

    /// Takes a permit, at once. Only while the view says that it is available, or as a last resort.
    func admit(_ model: String, isLastResort: Bool, at now: Duration) -> (pass: UpstreamState.Pass, view: UpstreamView)
    {
        let pass = state.admit(model, isLastResort: isLastResort, at: now)
        return (pass, state.view(of: pass, at: now))
    }

    /// An answer has begun.
    ///
    /// - Returns: what it is to be ended with, and the breakers that have changed.
    func begun(_ pass: UpstreamState.Pass, at now: Duration) -> (
        pass: UpstreamState.Pass, changes: BreakerChanges, view: UpstreamView
    ) {
        var pass = pass
        let changes = state.begun(&pass, at: now)
        return (pass, changes, state.view(of: pass, at: now))
    }

    /// Gives the permit back. The router then serves whoever waits for it.
    ///
    /// - Returns: the breakers that have changed.
    func end(_ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) -> (
        changes: BreakerChanges, view: UpstreamView
    ) {
        state.end(pass, ending, at: now, jitter: jitter)
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

    /// Takes what other instances leave to this one of its permits; nil when none share them.
    func share(_ capacity: SharedCapacity?) { state.shared = capacity }

    /// Takes what other instances have found out of it.
    func hear(_ news: (inout UpstreamState) -> Bool) -> Bool { news(&state) }

    /// Goes on with what a process before has learnt of it. Before the first request.
    func restore(_ memory: UpstreamMemory, at now: Duration) { state.restore(memory, at: now) }

    /// Closes the breakers and ends the cooldowns, of the upstream and all of its models or of one model.
    func reset(_ model: String?, at now: Duration) { state.reset(model, at: now) }
}

/// The executor that the router and its upstreams share.
actor RoutingDomain {}
