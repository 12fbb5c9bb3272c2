import GRDB
import Synchronization

/// Answers questions over a connection of its own, which cannot write. The log's file grows while somebody reads, so no step takes long.
final class LedgerReader: Sendable {
    private static let bound = 32

    private let queue: DatabaseQueue
    private let limit: StepLimit
    private let seconds: Double
    private let waiting = Atomic(0)
    private let isClosed = Atomic(false)

    init(_ queue: DatabaseQueue, limit: Duration) {
        self.queue = queue
        self.limit = StepLimit(queue, limit)
        seconds = limit / .seconds(1)
    }

    /// One step, in a transaction of its own.
    ///
    /// - Throws: `LedgerError`, or `CancellationError`.
    func read<Value: Sendable>(_ step: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let count = waiting.wrappingAdd(1, ordering: .relaxed).newValue
        defer { waiting.wrappingSubtract(1, ordering: .relaxed) }
        guard count <= Self.bound else {
            throw LedgerError(.tooMany, "\(Self.bound) questions wait for the ledger already: ask again in a moment.")
        }
        do {
            let limit = limit
            return try await queue.unsafeRead { db in
                // GRDB's own `read` would use a connection that is gone. This and `close` are on the connection's serial queue.
                guard !isClosed.load(ordering: .acquiring) else { throw LedgerError.closed }
                if db.isInsideTransaction { try db.rollback() }
                var value: Value?
                try limit.during {
                    try db.inTransaction(.deferred) {
                        value = try step(db)
                        return .commit
                    }
                }
                guard let value else { throw LedgerError.closed }
                return value
            }
        } catch let error as DatabaseError {
            throw explained(error)
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        try? queue.close()
    }

    private func explained(_ error: DatabaseError) -> LedgerError {
        switch error.resultCode {
        case .SQLITE_INTERRUPT:
            LedgerError(
                .tooSlow,
                "The ledger did not answer within \(seconds) seconds: ask for a shorter time, or for whole days.")
        default: LedgerError(.unusable, "The ledger cannot be read (\(LedgerFile.words(error))).")
        }
    }
}

extension LedgerError {
    static let closed = LedgerError(.closed, "The ledger is closed.")
}
