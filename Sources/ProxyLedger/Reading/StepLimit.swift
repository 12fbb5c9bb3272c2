import Dispatch
import GRDB
import Synchronization

/// Interrupts what runs on a connection for too long. One step at a time.
final class StepLimit: Sendable {
    private let queue: DatabaseQueue
    private let limit: Duration
    /// The number of the step that runs; nil when none does.
    private let running = Mutex<(current: Int?, count: Int)>((nil, 0))

    init(_ queue: DatabaseQueue, _ limit: Duration) {
        self.queue = queue
        self.limit = limit
    }

    /// Runs a step. SQLite throws `SQLITE_INTERRUPT` in it when it takes too long.
    func during<Value>(_ step: () throws -> Value) rethrows -> Value {
        let number = running.withLock { running in
            running.count += 1
            running.current = running.count
            return running.count
        }
        defer { running.withLock { $0.current = nil } }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { [weak self] in
            guard let self else { return }
            // Under the lock, so that it cannot meet the step after this one.
            running.withLock { if $0.current == number { self.queue.interrupt() } }
        }
        return try step()
    }
}
