import Synchronization

@testable import Proxy
@testable import ProxyRouting

/// A call that a test has begun and looks at while it goes on. Whoever waits for its end stops waiting when the test is
/// cancelled, and the call is cancelled with the last reference to it.
final class Pending<Value: Sendable>: Sendable {
    private final class Outcome: Sendable {
        private let result = Mutex<Result<Value, any Error>?>(nil)

        var value: Result<Value, any Error>? { result.withLock { $0 } }

        nonisolated(nonsending) func settle(_ body: nonisolated(nonsending) @Sendable () async throws -> Value) async {
            let value: Result<Value, any Error>
            do { value = .success(try await body()) } catch { value = .failure(error) }
            result.withLock { $0 = value }
        }
    }

    private let outcome: Outcome
    private let task: Task<Void, Never>

    /// Begins it where the test is: when this returns, it waits for the first thing that it has to wait for.
    init(_ body: nonisolated(nonsending) @escaping @Sendable () async throws -> Value) {
        let outcome = Outcome()
        self.outcome = outcome
        task = Task.immediate { await outcome.settle(body) }
    }

    /// Begins it on that executor.
    init(on executor: EventLoopExecutor, _ body: nonisolated(nonsending) @escaping @Sendable () async throws -> Value) {
        let outcome = Outcome()
        self.outcome = outcome
        task = Task(executorPreference: executor) { await outcome.settle(body) }
    }

    deinit { task.cancel() }

    /// Nil as long as it goes on.
    var result: Result<Value, any Error>? { outcome.value }

    var isOver: Bool { outcome.value != nil }

    func cancel() { task.cancel() }

    /// What it ends with.
    func value() async throws -> Value {
        while true {
            if let result { return try result.get() }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

extension Pending {
    /// A call that waits for its continuation, and the continuation.
    static func parked() async throws -> (call: Pending, continuation: UnsafeContinuation<Value, any Error>) {
        let (parkings, parking) = AsyncStream.makeStream(of: UnsafeContinuation<Value, any Error>.self)
        let call = Pending { try await withUnsafeThrowingContinuation { parking.yield($0) } }
        for await continuation in parkings { return (call, continuation) }
        throw CancellationError()
    }
}
