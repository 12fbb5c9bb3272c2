import Synchronization

/// Rung when something should not wait for the next exchange's turn.
final class ExchangeBell: Sendable {
    private let isRung = Atomic(false)

    func ring() { isRung.store(true, ordering: .relaxed) }

    /// Whether it has been rung since the last call.
    func answer() -> Bool { isRung.exchange(false, ordering: .relaxed) }
}
