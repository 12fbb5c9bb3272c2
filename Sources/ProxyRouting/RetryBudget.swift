/// How many retries the proxy may add to the load of upstreams that fail: a fifth of the requests of the last 10 s, and at
/// least 3 a second. So an outage is never answered with a multiple of the traffic.
package struct RetryBudget: Sendable {
    package static let share = 5
    package static let floorPerSecond = 3

    private var window = RollingCounts(seconds: 10)

    package init() {}

    package mutating func noteRequest(at now: Duration) { window.add(events: 1, at: now) }

    package func allowsRetry(at now: Duration) -> Bool {
        if window.current(at: now).marked < Self.floorPerSecond { return true }
        let (requests, retries) = window.totals(at: now)
        return retries < requests / Self.share
    }

    package mutating func noteRetry(at now: Duration) { window.add(marked: 1, at: now) }
}
