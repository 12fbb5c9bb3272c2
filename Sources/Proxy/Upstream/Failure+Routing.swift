extension Failure {
    /// Nothing was tried: every upstream that could serve the request is out of use.
    static func noAccountAvailable(_ outlook: RouteRefusal.Outlook, at now: Duration) -> Failure {
        Failure(
            .noUpstreamAvailable(isThrottled: outlook.isThrottled),
            outlook.isThrottled
                ? "Every account that serves this model is cooling down after 'too many requests'. Try again later."
                : "No account that serves this model can be used at the moment: each is unhealthy, cooling down, or has failed too often. "
                    + "The operator finds the reasons at /stats/accounts.", retryAfter: outlook.retryAfter(at: now))
    }

    static func queueFull(retryAfter seconds: Int) -> Failure {
        Failure(
            .overloaded(.queueFull),
            "Too many requests are waiting already. Try again later, or ask the operator to raise queue_size or the limits of concurrency.",
            retryAfter: seconds)
    }

    static func queueTimeout(retryAfter seconds: Int) -> Failure {
        Failure(
            .overloaded(.queueTimeout),
            "No account is free soon enough for an answer in the time that a request has. Try again later, or ask the operator to raise the limits "
                + "of concurrency.", retryAfter: seconds)
    }
}

extension RouteRefusal.Outlook {
    /// Seconds. What rests after failures is asked every second whether it has to, so nobody need sleep until it may be used again.
    func retryAfter(at now: Duration) -> Int {
        let wait = earliest.map { $0 - now } ?? Patience.limit
        return max(1, (isThrottled ? wait : min(wait, Patience.limit)).secondsRoundedUp)
    }
}
