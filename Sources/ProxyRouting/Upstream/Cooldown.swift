/// Leaves an upstream, or one of its models, alone that throttles (429) or asks for a pause (503): for as long as it asks, at most ten
/// minutes, or for 1 s, then 2, up to 60, with jitter.
///
/// A throttled upstream answers everything that is in flight with 429 at once. Such a volley is one refusal, not many: only a
/// request that was admitted after the last cooldown began makes the next one longer. When the line rushes in at its end, some
/// are answered and the rest refused before those answers are whole: then the upstream is not down but full, and its next
/// cooldown is the first again.
package struct Cooldown: Sendable {
    package static let first = Duration.seconds(1)
    package static let longest = Duration.seconds(60)
    /// Whatever an upstream says: then one request finds out.
    package static let longestTold = Duration.seconds(600)

    /// Proof of an admission.
    package struct Pass: Equatable, Sendable { fileprivate let epoch: UInt64 }

    /// When the last cooldown ends or ended.
    private var end: Duration?
    /// When it began.
    private var start: Duration?
    private var epoch: UInt64 = 0
    /// Cooldowns without a success in between.
    private var streak = 0
    /// It was asked for with 429.
    package private(set) var isThrottle = false

    package init() {}

    package var pass: Pass { Pass(epoch: epoch) }

    /// Until when it is to be left alone; nil when it is not.
    package func until(at now: Duration) -> Duration? {
        guard let end, end > now else { return nil }
        return end
    }

    /// Since when; nil when it is not left alone.
    package func since(at now: Duration) -> Duration? { until(at: now) == nil ? nil : start }

    /// A request was admitted after the last cooldown had begun.
    package func isCurrent(_ pass: Pass) -> Bool { pass.epoch == epoch }

    /// A refusal.
    ///
    /// - Parameters:
    ///   - wait: what its `retry-after` says.
    ///   - isThrottle: it is a 429.
    ///   - shortest: of the pauses that the upstream does not ask for.
    ///   - jitter: 0 ..< 1, spreads those that wait.
    /// - Returns: whether it is news: the first refusal of a volley.
    @discardableResult
    package mutating func begin(
        retryAfter wait: Duration?, isThrottle: Bool, of pass: Pass, shortest: Duration = first, at now: Duration,
        jitter: Double
    ) -> Bool {
        let isNew = pass.epoch == epoch
        if isNew {
            epoch += 1
            streak += 1
        }
        guard
            let pause = wait.map({ min($0, Self.longestTold) }) ?? (isNew ? Self.pause(streak, shortest, jitter) : nil)
        else { return isNew }
        if until(at: now) == nil { start = now }
        // Who was let through to find out brings the newest word.
        end = isNew ? now + pause : max(end ?? .zero, now + pause)
        if isNew || isThrottle { self.isThrottle = isThrottle }
        return isNew
    }

    /// A request was answered. It tells about the time after the last refusal, or between that and the one before. One that was let
    /// through during a cooldown ends it.
    package mutating func succeeded(_ pass: Pass) {
        if pass.epoch == epoch {
            streak = 0
            end = nil
        } else if pass.epoch + 1 == epoch {
            streak = min(streak, 1)
        }
    }

    /// Ends the cooldown.
    package mutating func reset() {
        end = nil
        epoch += 1
        streak = 0
    }

    // MARK: Memory

    /// What is left of it; nil when it is over.
    package func memory(at now: Duration) -> UpstreamMemory.Rest? {
        until(at: now).map { UpstreamMemory.Rest(left: $0 - now, isThrottle: isThrottle, streak: streak) }
    }

    /// Goes on with what a process before has begun. No upstream is left alone for longer than one may ask for.
    package mutating func restore(_ rest: UpstreamMemory.Rest, at now: Duration) {
        guard rest.left > .zero else { return }
        epoch += 1
        streak = max(1, rest.streak)
        isThrottle = rest.isThrottle
        (start, end) = (now, now + min(rest.left, Self.longestTold))
    }

    private static func pause(_ streak: Int, _ shortest: Duration, _ jitter: Double) -> Duration {
        let longest = max(longest, min(shortest * 10, longestTold))
        return min(shortest * (1 << min(streak - 1, 6)), longest) * (0.75 + jitter / 2)
    }
}
