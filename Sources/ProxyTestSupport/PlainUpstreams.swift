package import Proxy

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

    package init(_ members: [Member]) {
        self.members = members
    }

    package func view(of index: Int, at now: Duration) -> UpstreamView {
        let member = members[index]
        return UpstreamView(
            standing: member.state.standing(at: now), inFlight: member.state.permits.inUse, weight: member.weight,
            isFailing: member.state.breaker.consecutiveFailures > 0, throttle: member.throttle)
    }

    package mutating func admit(_ index: Int, at now: Duration) -> UpstreamState.Pass {
        members[index].state.admit(at: now)
    }

    package mutating func end(_ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) {
        members[index].state.end(pass, ending, at: now, jitter: jitter)
    }
}
