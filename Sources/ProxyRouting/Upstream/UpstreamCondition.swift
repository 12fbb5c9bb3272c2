/// How an upstream does as a whole, for people: its own state, or, when every model that has been asked for lately rests, theirs.
package struct UpstreamCondition: Sendable, Equatable {
    package var breaker: CircuitBreaker.State
    package var consecutiveFailures: Int
    /// Of the last 60 s.
    package var window: (requests: Int, failures: Int)
    package var openedAt: Duration?
    package var retryAt: Duration?
    package var coolingUntil: Duration?

    package static func == (one: Self, other: Self) -> Bool {
        one.breaker == other.breaker && one.consecutiveFailures == other.consecutiveFailures
            && one.window == other.window
            && one.openedAt == other.openedAt && one.retryAt == other.retryAt && one.coolingUntil == other.coolingUntil
    }
}

/// One model of an upstream that is not well, for people.
package struct ModelCondition: Sendable, Equatable {
    package var model: String
    package var breaker: CircuitBreaker.State
    package var consecutiveFailures: Int
    package var retryAt: Duration?
    package var coolingUntil: Duration?
    /// Requests that it takes at once, as far as is known; nil when no less than the upstream.
    package var adaptiveLimit: Int?
    package var inFlight: Int

    /// The worse, the sooner a person wants to see it.
    fileprivate var severity: Int {
        switch breaker {
        case .open: 4
        case .halfOpen: 3
        case .closed: coolingUntil != nil ? 2 : consecutiveFailures > 0 ? 1 : 0
        }
    }
}

extension UpstreamState {
    /// A model that nobody has asked for in this time says nothing about its upstream; one that waits for its probe for twice as long.
    private static let window = Duration.seconds(60)

    package func condition(at now: Duration) -> UpstreamCondition {
        var condition = UpstreamCondition(
            breaker: breaker.state(at: now), consecutiveFailures: breaker.consecutiveFailures,
            window: (0, breaker.window(at: now).failures),
            openedAt: breaker.openedAt, retryAt: breaker.retryAt, coolingUntil: cooldown.until(at: now))
        condition.window.requests = condition.window.failures
        var resting: [ModelState] = []
        var areAllResting = true
        for (_, state) in models.all {
            let window = state.breaker.window(at: now)
            condition.window.requests += window.requests
            condition.window.failures += window.failures
            condition.consecutiveFailures = max(condition.consecutiveFailures, state.breaker.consecutiveFailures)
            let breaker = state.breaker.state(at: now)
            let unused = now - state.lastUsed
            if breaker == .open || state.cooldown.until(at: now) != nil
                || breaker == .halfOpen && unused <= Self.window * 2
            {
                resting.append(state)
            } else if unused <= Self.window {
                areAllResting = false
            }
        }
        guard areAllResting, !resting.isEmpty else { return condition }
        if condition.breaker == .closed {
            let states = resting.map { $0.breaker.state(at: now) }
            condition.breaker = states.contains(.open) ? .open : states.contains(.halfOpen) ? .halfOpen : .closed
            condition.openedAt = resting.compactMap(\.breaker.openedAt).max()
            condition.retryAt = resting.compactMap(\.breaker.retryAt).min()
        }
        condition.coolingUntil = condition.coolingUntil ?? resting.compactMap { $0.cooldown.until(at: now) }.min()
        return condition
    }

    /// The models that rest, fail, or take fewer requests than the upstream: the worst first.
    package func unwell(at now: Duration, atMost limit: Int = 20) -> [ModelCondition] {
        let conditions: [ModelCondition] = models.all.compactMap { model, state in
            let condition = ModelCondition(
                model: model, breaker: state.breaker.state(at: now),
                consecutiveFailures: state.breaker.consecutiveFailures,
                retryAt: state.breaker.retryAt, coolingUntil: state.cooldown.until(at: now),
                adaptiveLimit: state.limit.value, inFlight: state.inFlight)
            return condition.severity > 0 || condition.adaptiveLimit != nil ? condition : nil
        }
        let worst = conditions.sorted {
            ($1.severity, $1.consecutiveFailures, $0.model) < ($0.severity, $0.consecutiveFailures, $1.model)
        }
        return Array(worst.prefix(limit))
    }
}
