/// Leaves an upstream alone that throttles (429): for as long as it asks, or for 1 s, then 2, up to 60, with jitter.
///
/// A throttled upstream answers everything that is in flight with 429 at once. Such a volley is one refusal, not many: only a
/// request that was admitted after the last cooldown began makes the next one longer. When the line rushes in at its end, some
/// are answered and the rest refused before those answers are whole: then the upstream is not down but full, and its next
/// cooldown is the first again.
package struct Cooldown: Sendable {
    package static let first = Duration.seconds(1)
    package static let longest = Duration.seconds(60)

    /// Proof of an admission.
    package struct Pass: Equatable, Sendable { fileprivate let epoch: UInt64 }

    /// When the last cooldown ends or ended.
    private var end: Duration?
    private var epoch: UInt64 = 0
    /// Cooldowns without a success in between.
    private var streak = 0

    package init() {}

    package var pass: Pass { Pass(epoch: epoch) }

    /// Until when the upstream is to be left alone; nil when it is not.
    package func until(at now: Duration) -> Duration? {
        guard let end, end > now else { return nil }
        return end
    }

    /// The upstream has refused with 429.
    ///
    /// - Parameters:
    ///   - wait: what its `retry-after` says.
    ///   - jitter: 0 ..< 1, spreads those that wait.
    package mutating func throttled(retryAfter wait: Duration?, of pass: Pass, at now: Duration, jitter: Double) {
        let isNew = pass.epoch == epoch
        if isNew {
            epoch += 1
            streak += 1
        }
        guard let pause = wait ?? (isNew ? Self.pause(streak: streak, jitter: jitter) : nil) else { return }
        end = max(end ?? .zero, now + pause)
    }

    /// The upstream has answered a request. It tells about the time after the last refusal, or between that and the one before.
    package mutating func succeeded(_ pass: Pass) {
        if pass.epoch == epoch {
            streak = 0
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

    private static func pause(streak: Int, jitter: Double) -> Duration {
        min(first * (1 << min(streak - 1, 6)), longest) * (0.75 + jitter / 2)
    }
}
