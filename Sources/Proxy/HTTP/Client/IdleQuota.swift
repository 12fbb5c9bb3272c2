import Synchronization

/// How many connections to one origin are kept by all event loops together.
///
/// Each loop asks without a lock; `IdleQuotas` finds the one of an origin, once per loop and origin.
final class IdleQuota: Sendable {
    private let limit: Int
    private let kept = Atomic(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: false when there are as many as may be.
    func take() -> Bool {
        guard kept.add(1, ordering: .relaxed).newValue > limit else { return true }
        kept.subtract(1, ordering: .relaxed)
        return false
    }

    func giveBack() {
        kept.subtract(1, ordering: .relaxed)
    }
}

/// The quotas of all origins.
final class IdleQuotas: Sendable {
    private let limit: Int
    private let quotas = Mutex<[Origin: IdleQuota]>([:])

    /// - Parameter limit: connections per origin; nil for as many as become free.
    init(limit: Int?) {
        self.limit = limit ?? .max
    }

    func quota(of origin: Origin) -> IdleQuota {
        quotas.withLock { quotas in
            if let quota = quotas[origin] { return quota }
            let quota = IdleQuota(limit: limit)
            quotas[origin] = quota
            return quota
        }
    }
}
