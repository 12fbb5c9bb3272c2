/// What one upstream has done since the process began. An attempt counts as a request of its own.
package struct UpstreamStatistics: Sendable {
    /// The failure that was seen last, of those that are the upstream's.
    ///
    /// A class, so that the state of an upstream, which snapshots copy, holds no room for one.
    package final class LastFailure: Sendable {
        package let at: Duration
        package let failure: Failure

        init(at: Duration, failure: Failure) {
            self.at = at
            self.failure = failure
        }
    }

    package private(set) var requests = 0
    package private(set) var succeeded = 0
    package private(set) var failed = 0
    package private(set) var cancelled = 0
    /// Those among the failed that were answered with 429.
    package private(set) var rateLimited = 0
    package private(set) var promptTokens = 0
    package private(set) var completionTokens = 0
    /// Of successes: from the permit to the end of the answer.
    package private(set) var latency = LatencyHistogram()
    /// Of streams: from the permit to the first event.
    package private(set) var firstToken = LatencyHistogram()
    package private(set) var lastFailure: LastFailure?
    /// 429s of the last minute.
    private var recentRateLimits = RollingCounts(seconds: 60, step: 5)
    /// Of streams.
    package private(set) var outputPace = OutputPace()
    /// How often it has spoken in each of the odd ways; empty until it does.
    private var oddities: [Int] = []
    /// How often a circuit breaker has opened, the upstream's or a model's.
    package internal(set) var opened = 0

    /// In how many attempts it has spoken so.
    package func count(of oddity: Oddity) -> Int { oddities.isEmpty ? 0 : oddities[Int(oddity.rawValue)] }

    /// 429s in the last 60 s.
    package func rateLimitedLately(at now: Duration) -> Int { recentRateLimits.totals(at: now).events }

    private mutating func count(_ seen: Oddities) {
        if oddities.isEmpty { oddities = Array(repeating: 0, count: Oddity.allCases.count) }
        for oddity in seen.each { oddities[Int(oddity.rawValue)] += 1 }
    }

    package mutating func begin() { requests += 1 }

    package mutating func end(_ ending: AttemptEnding, at now: Duration, took duration: Duration) {
        switch ending.outcome {
        case .succeeded:
            succeeded += 1
            latency.record(duration)
        case .abandoned: cancelled += 1
        case .rateLimited, .accountExhausted, .accountDoubted:
            failed += 1
            rateLimited += 1
            recentRateLimits.add(events: 1, at: now)
        case .interrupted, .refused, .promptTooLong, .modelNotAllowed, .modelUnavailable, .failed, .unavailable,
            .timedOut, .outOfTime, .unreachable, .brokenOff,
            .connectTimedOut, .credentialsRefused, .credentialsDoubted:
            failed += 1
        }
        if !ending.oddities.isEmpty { count(ending.oddities) }
        if let usage = ending.usage {
            promptTokens &+= usage.prompt
            completionTokens &+= usage.completion
        }
        if let first = ending.firstEvent {
            firstToken.record(first)
            if let usage = ending.usage { outputPace.add(tokens: usage.completion, in: duration - first) }
        }
        if let error = ending.error, ending.outcome.mayMoveOn {
            lastFailure = LastFailure(at: now, failure: error)
        }
    }
}
