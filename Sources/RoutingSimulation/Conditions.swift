import Proxy

/// All that a run depends on, but for the strategy. Equal conditions make the same world and the same requests.
package struct Conditions: Sendable {
    package var scenario: Scenario
    /// The share of the capacity that arrives: 1 is as much as the upstreams could answer if all were up.
    package var load: Double
    package var seed: UInt64
    package var accounts = 20
    /// From which range each account's `max_concurrency` comes, as a multiple of what would fit its ceiling: operators guess.
    package var limits = 0.5...8.0
    /// Seconds in which requests arrive. The run goes on until all of them have ended.
    package var duration = 180
    /// For how long a request waits for an account, all attempts together.
    package var patience = Duration.seconds(60)
    package var retryAttempts = RoutingSettings().retryAttempts
    package var queueSize = LimitSettings().queueSize
    package var healthCheckInterval = TimeoutSettings().healthCheckInterval

    package init(_ scenario: Scenario, load: Double, seed: UInt64) {
        self.scenario = scenario
        self.load = load
        self.seed = seed
    }
}
