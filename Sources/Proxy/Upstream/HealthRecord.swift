/// What the health checks know about one upstream. Two failures in a row make it unhealthy, one success healthy again.
struct HealthRecord: Equatable, Sendable {
    /// How a check ended.
    enum Probe: Equatable, Sendable {
        case passed
        /// The upstream refused the operator's credentials: there is nothing to wait for.
        case credentialsRefused
        case failed
    }

    static let failuresUntilUnhealthy = 2

    /// Until the first check has ended nothing speaks against the upstream.
    private(set) var isHealthy = true
    /// Whether any check has ended yet.
    private(set) var isKnown = false
    private var failures = 0

    mutating func record(_ probe: Probe) {
        isKnown = true
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
    }
}
