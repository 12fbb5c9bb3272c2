/// What all instances together leave to this one of an upstream's permits, and until when: two comparisons at each decision.
///
/// Moments are of the clock that decisions are made by. It must go on while the process is stopped: a share that was given away meanwhile is over.
package struct SharedCapacity: Equatable, Sendable {
    /// While it holds.
    package var share: Int
    package var until: Duration
    /// After that, when nobody is there to give another one.
    package var safe: Int
    package var safeUntil: Duration

    /// Nothing, as before the first share.
    package static let none = SharedCapacity(share: 0, until: .zero, safe: 0, safeUntil: .zero)

    package init(share: Int, until: Duration, safe: Int, safeUntil: Duration) {
        self.share = share
        self.until = until
        self.safe = safe
        self.safeUntil = safeUntil
    }

    /// Permits that may be out at a moment.
    package func permits(at now: Duration) -> Int { now < until ? share : now < safeUntil ? safe : 0 }
}
