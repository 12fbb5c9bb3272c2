/// Whether a request may be sent to an upstream, or to one model there.
package enum Availability: Equatable, Sendable {
    case available
    /// All that it takes at once is under way; the next one that ends will do. `until`: when time alone may give room; nil when it cannot.
    case full(until: Duration?)
    /// Out of use.
    case unavailable(Reason)

    /// Why something is out of use.
    package enum Reason: Equatable, Sendable {
        /// The last health checks have failed.
        case unhealthy
        /// A throttle says that fewer requests would have been answered.
        case coolingDown(until: Duration, isThrottle: Bool)
        case breakerOpen(until: Duration)
        /// One request finds out whether the breaker may close. `until` is nil when nobody knows for how long.
        case probing(until: Duration?)

        /// Until when; nil when nobody knows.
        package var until: Duration? {
            switch self {
            case .unhealthy: nil
            case .coolingDown(let until, _), .breakerOpen(let until): until
            case .probing(let until): until
            }
        }

        package var isThrottle: Bool {
            if case .coolingDown(_, isThrottle: true) = self { true } else { false }
        }
    }

    /// When time alone may change it.
    package var recheckAt: Duration? {
        switch self {
        case .available: nil
        case .full(let until): until
        case .unavailable(let reason): reason.until
        }
    }
}

extension CircuitBreaker {
    /// Why it keeps requests away; nil when it does not.
    package func reason(at now: Duration) -> Availability.Reason? {
        guard let until = holds(at: now) else { return nil }
        if isProbed { return .probing(until: until) }
        return .breakerOpen(until: until ?? now)
    }
}

/// How long waiting for what will come back by itself makes sense.
package enum Patience {
    package static let limit = Duration.seconds(5)
}
