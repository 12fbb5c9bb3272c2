/// Notices that the process stood still, be it stopped or without a turn on the processor: who had meant to wake at some moment wakes long after it.
/// Deadlines that have passed in such a gap say nothing about those whom they bound, whose bytes may have been in the sockets for long.
///
/// A value without a clock: each look is reported to it.
struct ClockGap: Sendable {
    /// As late as this, a busy machine may be; later is a gap.
    static let tolerance = Duration.seconds(1)
    /// After a gap, so much time is left for what has come meanwhile to be read.
    static let grace = Duration.seconds(1)

    /// So long after a gap, what goes wrong may still be its doing: who waited for us has given up meanwhile.
    static let echo = Duration.seconds(3)

    /// How many gaps there have been.
    private(set) var count = 0
    /// When the last one was noticed.
    private var last: Duration?
    private var wasLate = false

    /// What a gap does to the moments that were to come.
    struct Delay: Equatable, Sendable {
        /// How long it was, as far as can be told: it may have begun before the moment that was missed.
        let length: Duration
        /// Nothing is due before this moment.
        let earliest: Duration

        /// The moment that takes the place of this one.
        func postponed(_ instant: Duration) -> Duration { max(instant + length, earliest) }
    }

    /// Somebody who had meant to look at the clock at `planned` looks at it.
    ///
    /// - Returns: nil when that is in time.
    mutating func looked(at now: Duration, planned: Duration) -> Delay? {
        let late = now - planned
        guard late > Self.tolerance else {
            wasLate = false
            return nil
        }
        // No grace twice in a row: on a machine that is always late, deadlines pass all the same.
        defer { wasLate = true }
        count += 1
        last = now
        return Delay(length: late, earliest: wasLate ? now : now + Self.grace)
    }

    /// Whether there has been one since that moment, be it noticed or not.
    func hasBeen(since instant: Duration, at now: Duration, planned: Duration?) -> Bool {
        last.map { $0 >= instant } ?? false || planned.map { now - $0 > Self.tolerance } ?? false
    }

    /// How many there have been when the look of `planned` has not been made by `now`: one that nobody has noticed yet is counted.
    func count(at now: Duration, planned: Duration?) -> Int {
        guard let planned, now - planned > Self.tolerance else { return count }
        return count + 1
    }
}
