/// What the health checks know about one upstream. Two failures in a row make it unhealthy, one success healthy again.
package struct HealthRecord: Equatable, Sendable {
    /// How a check ended.
    package enum Probe: Equatable, Sendable {
        case passed
        /// The upstream refused the operator's credentials: there is nothing to wait for.
        case credentialsRefused
        case failed
    }

    /// The check that ended last.
    package struct Check: Equatable, Sendable {
        package var at: Duration
        package var passed: Bool
        package var latency: Duration
    }

    static let failuresUntilUnhealthy = 2

    /// Until the first check has ended nothing speaks against the upstream.
    package private(set) var isHealthy = true
    /// Nil until the first check has ended.
    package private(set) var lastCheck: Check?
    /// Nil while it is healthy.
    package private(set) var unhealthySince: Duration?
    private var failures = 0

    package init() {}

    /// - Parameter isContradicted: requests have just been answered. A list of models that fails meanwhile is in trouble by itself.
    package mutating func record(_ probe: Probe, at now: Duration, latency: Duration, isContradicted: Bool = false) {
        lastCheck = Check(at: now, passed: probe == .passed, latency: latency)
        if probe == .failed, isContradicted { return }
        switch probe {
        case .passed:
            failures = 0
            isHealthy = true
        case .credentialsRefused:
            failures = Self.failuresUntilUnhealthy
            isHealthy = false
        case .failed:
            failures += 1
            if failures >= Self.failuresUntilUnhealthy { isHealthy = false }
        }
        unhealthySince = isHealthy ? nil : unhealthySince ?? now
    }

    /// A request was let through all the same and has been answered: there is no better check.
    package mutating func answered() {
        failures = 0
        isHealthy = true
        unhealthySince = nil
    }
}
