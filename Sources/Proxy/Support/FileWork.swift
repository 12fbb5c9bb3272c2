import Dispatch
import Synchronization

/// Work with files, which may hang in the kernel for as long as their file system does: a network drive that is away, a disk that dies. It is
/// done on threads of its own and waited for within a time, so that neither the threads that serve requests nor an end of the process hang with
/// it. What nobody waits for any more stays behind in the kernel.
final class FileWork: Sendable {
    /// It has not ended in time, or too much hangs already.
    struct Overdue: Error {}

    /// For what requests need: tokens and their keys.
    static let credentials = FileWork(atOnce: 16)
    /// For reading the configuration, and what it names.
    static let configuration = FileWork(atOnce: 4)
    /// For looks at the listener's certificate.
    static let certificate = FileWork(atOnce: 1)

    private let atOnce: Int
    private let running = Mutex(0)

    /// - Parameter atOnce: more is refused, since it would hang as well.
    init(atOnce: Int) {
        self.atOnce = atOnce
    }

    /// How much is under way, be it waited for or not.
    var count: Int { running.withLock { $0 } }

    /// Does `work` and returns what it returns.
    ///
    /// - Throws: `Overdue`; `CancellationError` as soon as the task is cancelled.
    func run<Value: Sendable>(within limit: Duration, on time: TimeSource, _ work: @escaping @Sendable () -> Value)
        async throws -> Value
    {
        let mayRun = running.withLock { running in
            guard running < atOnce else { return false }
            running += 1
            return true
        }
        guard mayRun else { throw Overdue() }
        let outcome = Outcome<Value>()
        // A queue of its own gets a thread of its own.
        DispatchQueue(label: "files").async {
            let value = work()
            self.running.withLock { $0 -= 1 }
            outcome.settle(.success(value))
        }
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await outcome.value }
            group.addTask {
                try await time.sleep(for: limit)
                throw Overdue()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw Overdue() }
            return value
        }
    }

    /// A result that one waits for, and may cease to wait for.
    private final class Outcome<Value: Sendable>: Sendable {
        private enum State {
            case open
            case awaited(CheckedContinuation<Value, any Error>)
            case settled(Result<Value, any Error>)
        }
        private let state = Mutex(State.open)

        func settle(_ result: Result<Value, any Error>) {
            let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                defer { if case .settled = state {} else { state = .settled(result) } }
                if case .awaited(let waiter) = state { return waiter }
                return nil
            }
            waiter?.resume(with: result)
        }

        var value: Value {
            get async throws {
                try await withTaskCancellationHandler {
                    try await withCheckedThrowingContinuation { waiter in
                        let result = state.withLock { state -> Result<Value, any Error>? in
                            if case .settled(let result) = state { return result }
                            state = .awaited(waiter)
                            return nil
                        }
                        if let result { waiter.resume(with: result) }
                    }
                } onCancel: {
                    settle(.failure(CancellationError()))
                }
            }
        }
    }
}
