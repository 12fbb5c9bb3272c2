package import ProxyRouting

/// Upstreams as plain values, for the routing core without actors.
package struct PlainUpstreams: UpstreamTable {
    package struct Member: Sendable {
        package var state: UpstreamState
        package var weight: Int
        package var throttle: Int

        /// - Parameter throttle: the same number for upstreams that share one throttle.
        package init(maxConcurrency: Int, weight: Int = 1, throttle: Int, breaker: CircuitBreaker.Settings = .init()) {
            state = UpstreamState(maxConcurrency: maxConcurrency, breaker: breaker)
            self.weight = weight
            self.throttle = throttle
        }
    }

    package var members: [Member]
    /// Circuit breakers that have changed, in order.
    package var changes: [BreakerChanges] = []

    package init(_ members: [Member]) {
        self.members = members
    }

    /// What the core has to know of them.
    package var coreMembers: [RoutingCore.Member] {
        members.map {
            RoutingCore.Member(weight: $0.weight, maxConcurrency: $0.state.permits.limit, throttle: $0.throttle)
        }
    }

    package func view(of index: Int, model: String, at now: Duration) -> UpstreamView {
        members[index].state.view(of: model, at: now)
    }

    package func lastResort(_ index: Int, model: String, at now: Duration) -> Duration? {
        members[index].state.lastResort(for: model, at: now)
    }

    package func safeTime(of index: Int, model: String, isStreaming: Bool, at now: Duration) -> Duration? {
        members[index].state.safeTime(of: model, isStreaming: isStreaming, at: now)
    }

    package func pace(of index: Int, model: String, at now: Duration) -> Double? {
        members[index].state.pace(of: model, at: now)
    }

    package func isFailing(_ index: Int, model: String) -> Bool { members[index].state.isFailing(model) }

    package mutating func admit(
        _ index: Int, model: String, isLastResort: Bool, at now: Duration
    ) -> (pass: UpstreamState.Pass, view: UpstreamView) {
        let pass = members[index].state.admit(model, isLastResort: isLastResort, at: now)
        return (pass, members[index].state.view(of: pass, at: now))
    }

    package mutating func begun(_ index: Int, _ pass: UpstreamState.Pass, at now: Duration) -> (
        pass: UpstreamState.Pass, view: UpstreamView
    ) {
        var pass = pass
        note(members[index].state.begun(&pass, at: now))
        return (pass, members[index].state.view(of: pass, at: now))
    }

    package mutating func end(
        _ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double
    ) -> UpstreamView {
        let (changes, view) = members[index].state.end(pass, ending, at: now, jitter: jitter)
        note(changes)
        return view
    }

    private mutating func note(_ change: BreakerChanges) {
        if !change.isEmpty { changes.append(change) }
    }
}
