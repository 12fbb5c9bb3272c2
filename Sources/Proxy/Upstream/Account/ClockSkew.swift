import Synchronization

/// How far this machine's clock is away from OCI's. The service refuses signatures that are more than five minutes off, and does
/// not say so (OCI wire notes 1.10).
struct ClockSkew: Equatable, Sendable {
    /// Differences up to this are nobody's business, in seconds.
    static let tolerated: Int64 = 60

    /// Positive: our clock is ahead.
    let seconds: Int64

    /// Nil when the clocks agree, or the header says nothing.
    ///
    /// - Parameters:
    ///   - date: the answer's `date`.
    ///   - sent: our clock when the request went out; the answer was dated some time between then and `received`. Both in
    ///     seconds since 1970.
    init?(date: String?, sent: Int64, received: Int64) {
        guard let date, let theirs = HTTPDate.parse(date, now: received) else { return nil }
        let difference = theirs > received ? received - theirs : theirs < sent ? sent - theirs : 0
        guard abs(difference) > Self.tolerated else { return nil }
        seconds = difference
    }

    /// A sentence for the operator.
    var hint: String {
        "This machine's clock is \(GoDuration.format(.seconds(abs(seconds)))) \(seconds > 0 ? "ahead of" : "behind") OCI's clock. OCI rejects requests "
            + "that are more than 5m off. Synchronize the clock with NTP."
    }
}

/// Lets a warning pass once in a while for each thing that it may be about.
final class PacedWarnings: Sendable {
    private let interval: Duration
    private let last = Mutex<[String: Duration]>([:])

    init(interval: Duration) { self.interval = interval }

    /// Whether to warn now; takes note of it if so.
    func isDue(_ subject: String, at now: Duration) -> Bool {
        last.withLock { last in
            if let before = last[subject], now < before + interval { return false }
            last[subject] = now
            return true
        }
    }
}
