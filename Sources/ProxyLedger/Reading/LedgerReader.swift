import GRDB
import Synchronization

/// Answers questions over a connection of its own, which cannot write. The log's file grows while somebody reads, so no step takes long.
final class LedgerReader: Sendable {
    private static let bound = 32

    private final class Connection: Sendable {
        let queue: DatabaseQueue
        let limit: StepLimit
        let isClosed = Atomic(false)

        init(_ queue: DatabaseQueue, _ limit: Duration) {
            self.queue = queue
            self.limit = StepLimit(queue, limit)
        }
    }

    private let connection: Mutex<Connection>
    private let limit: Duration
    private let waiting = Atomic(0)

    init(_ queue: DatabaseQueue, limit: Duration) {
        connection = Mutex(Connection(queue, limit))
        self.limit = limit
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
        let connection = connection.withLock { $0 }
        do {
            return try await connection.queue.unsafeRead { db in
                // GRDB's own `read` would use a connection that is gone. This and `close` are on the connection's serial queue.
                guard !connection.isClosed.load(ordering: .acquiring) else { throw LedgerError.closed }
                if db.isInsideTransaction { try db.rollback() }
                var value: Value?
                try connection.limit.during {
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
        let connection = connection.withLock { $0 }
        connection.isClosed.store(true, ordering: .releasing)
        try? connection.queue.close()
    }

    /// Goes on with another connection, after `close`.
    func replace(with queue: DatabaseQueue) { connection.withLock { $0 = Connection(queue, limit) } }

    private func explained(_ error: DatabaseError) -> LedgerError {
        switch error.resultCode {
        case .SQLITE_INTERRUPT:
            LedgerError(
                .tooSlow,
                "The ledger did not answer within \(limit / .seconds(1)) seconds: ask for a shorter time, or for whole days."
            )
        default: LedgerError(.unusable, "The ledger cannot be read (\(LedgerFile.words(error))).")
        }
    }
}

extension LedgerError {
    static let closed = LedgerError(.closed, "The ledger is closed.")
}
