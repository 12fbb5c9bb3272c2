/// What an instance may have in flight of one object: the value that a request is compared with.
///
/// Moments are by a monotonic clock of the instance that goes on while the process is stopped and while the machine sleeps
/// (`CLOCK_BOOTTIME`; `ContinuousClock` on Linux). By a clock that stands still meanwhile a lease that was given away long ago would seem
/// to hold. It must be read after the process has come back: at the decision, not before a wait.
package struct PermitLease: Equatable, Sendable {
    /// While the lease holds.
    package var share: Int
    package var until: Duration
    /// After it, if it is known that the engine is gone: the limit by the count of instances.
    package var safe: Int
    package var safeUntil: Duration

    package static let none = PermitLease(share: 0, until: .zero, safe: 0, safeUntil: .zero)

    package init(share: Int, until: Duration, safe: Int, safeUntil: Duration) {
        self.share = share
        self.until = until
        self.safe = safe
        self.safeUntil = safeUntil
    }

    /// Permits at a moment. 0 between the end of a lease and the first proof that there is no engine to renew it: so it is for who was
    /// stopped and goes on, and for who has just started.
    package func capacity(at now: Duration) -> Int { now < until ? share : now < safeUntil ? safe : 0 }

    /// - Parameter count: of instances; 1 or more.
    /// - Returns: a part of the limit; 1 at least, since nothing is closed for want of an engine. With more instances than the limit that
    ///   is more than the limit in all.
    package static func safe(_ limit: Int, among count: Int) -> Int { limit <= 0 ? 0 : max(1, limit / max(1, count)) }
}
