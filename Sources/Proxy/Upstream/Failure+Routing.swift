import ProxyRouting

extension Failure {
    /// Nothing was tried: every upstream that could serve the request is out of use.
    static func noAccountAvailable(_ outlook: RouteRefusal.Outlook, at now: Duration) -> Failure {
        Failure(
            .noUpstreamAvailable(isThrottled: outlook.isThrottled),
            outlook.isThrottled
                ? "All accounts that serve this model are cooling down after 429 (too many requests). Try again later."
                : "No account that serves this model is available: each is unhealthy, cooling down, or has an open circuit breaker. "
                    + "/stats/accounts lists the reasons.", retryAfter: outlook.retryAfter(at: now))
    }

    static func queueFull(retryAfter seconds: Int) -> Failure {
        Failure(
            .overloaded(.queueFull),
            "The request queue is full. Try again later, or ask the operator to raise queue_size or the concurrency limits.",
            retryAfter: seconds)
    }

    static func queueTimeout(retryAfter seconds: Int) -> Failure {
        Failure(
            .overloaded(.queueTimeout),
            "No account will be free in time to answer within the request timeout. Try again later, or ask the operator to raise "
                + "the concurrency limits.", retryAfter: seconds)
    }
}

extension RouteRefusal.Outlook {
    /// Seconds. What rests after failures is asked every second whether it has to, so nobody need sleep until it may be used again.
    func retryAfter(at now: Duration) -> Int {
        let wait = earliest.map { $0 - now } ?? Patience.limit
        return max(1, (isThrottled ? wait : min(wait, Patience.limit)).secondsRoundedUp)
    }
}
