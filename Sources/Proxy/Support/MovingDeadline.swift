import ProxyRouting
import Synchronization

/// The moment at which an operation is given up, and why. The operation moves it as it gets on: a deadline for the first
/// event becomes one for the next, and so on.
final class MovingDeadline: Sendable {
    /// The deadline passed.
    struct Exceeded: Error, Equatable {
        let cause: DeadlineCause
    }

    /// What is given up when the deadline passes.
    enum Operation: Sendable {
        /// Whatever this ends; it is called once at most, from any thread.
        case call(@Sendable (Exceeded) -> Void)
        /// A task, as long as it runs.
        case task(RunningTask)
    }

    /// A move to an earlier moment is noticed within this time.
    static let grain = DeadlineWatch.interval

    private struct State {
        var instant: Duration
        var cause: DeadlineCause
        var hasPassed = false
        var operation: Operation?
        /// While somebody looks at the clock for it.
        var ticket: DeadlineWatch.Ticket?
    }

    private let time: TimeSource
    private let state: Mutex<State>

    init(at instant: Duration, for cause: DeadlineCause, on time: TimeSource) {
        self.time = time
        state = Mutex(State(instant: instant, cause: cause))
    }

    /// From now on it is noticed when the moment comes, until `disarm`.
    func arm() {
        let ticket = time.deadlines.add(self)
        state.withLock { $0.ticket = ticket }
    }

    /// The operation has ended. Nothing is given up any more.
    func disarm() {
        let ticket = state.withLock { state in
            state.operation = nil
            return state.ticket.take()
        }
        if let ticket { time.deadlines.remove(ticket) }
    }

    /// This is what is given up from now on: at once, if the deadline has passed already.
    func bind(_ operation: Operation?) { _ = exchange(operation) }

    /// The same for as long as `body` takes; then it is what it was before.
    nonisolated(nonsending) func binding<Success>(
        _ operation: Operation, _ body: nonisolated(nonsending) () async throws -> Success
    ) async throws -> Success {
        let outer = exchange(operation)
        defer { bind(outer) }
        return try await body()
    }

    /// - Returns: what has been given up until now.
    private func exchange(_ operation: Operation?) -> Operation? {
        let (before, isLate) = state.withLock { state in
            let before = state.operation
            state.operation = operation
            return (before, state.hasPassed)
        }
        if isLate { giveUp() }
        return before
    }

    /// Does nothing once the deadline has passed.
    func move(to instant: Duration, for cause: DeadlineCause) {
        state.withLock { state in
            guard !state.hasPassed else { return }
            state.instant = instant
            state.cause = cause
        }
    }

    /// More is waited for: the moment moves by that long, wherever it is. Does nothing once the deadline has passed.
    func prolong(by duration: Duration, for cause: DeadlineCause) {
        state.withLock { state in
            guard !state.hasPassed else { return }
            state.instant += duration
            state.cause = cause
        }
    }

    /// The process stood still, and the moment with it.
    func postpone(by delay: ClockGap.Delay) {
        state.withLock { state in
            if !state.hasPassed { state.instant = delay.postponed(state.instant) }
        }
    }

    /// Why the operation has been given up; nil as long as it has not.
    var passed: DeadlineCause? { state.withLock { $0.hasPassed ? $0.cause : nil } }

    /// The moment as it stands; nil when it has come: then the operation has been given up.
    func check(at now: Duration) -> Duration? {
        let instant: Duration? = state.withLock { state in
            guard state.instant <= now else { return state.instant }
            state.hasPassed = true
            return nil
        }
        if instant == nil { giveUp() }
        return instant
    }

    private func giveUp() {
        let call: (@Sendable (Exceeded) -> Void, Exceeded)? = state.withLock { state in
            switch state.operation.take() {
            case .call(let call): return (call, Exceeded(cause: state.cause))
            case .task(let task):
                // Under the lock: the operation takes the task away under it, too, before the task ends.
                task.cancel()
                return nil
            case nil: return nil
            }
        }
        // Outside of it: what ends may move the deadline.
        if let (call, error) = call { call(error) }
    }

    /// Runs the operation in the present task, which is cancelled when the deadline passes.
    fileprivate func watch<Success>(_ operation: nonisolated(nonsending) () async throws -> Success) async throws
        -> Success
    {
        unsafe try await withUnsafeCurrentTask { task in
            let outer = unsafe exchange(task.map { unsafe .task(RunningTask($0)) })
            let isArmed = state.withLock { $0.ticket != nil }
            if !isArmed { arm() }
            defer {
                if isArmed { bind(outer) } else { disarm() }
            }
            return try await operation()
        }
    }
}

/// Runs `operation`, and cancels it when `deadline` passes.
///
/// Returns only after the operation has ended, so nothing of it runs on afterwards. An operation that comes to a good end
/// although it was cancelled (it had what it needed) keeps its result.
///
/// - Throws: `MovingDeadline.Exceeded` when the deadline passed first, else what the operation throws.
nonisolated(nonsending) func withDeadline<Success: Sendable>(
    _ deadline: MovingDeadline, _ operation: nonisolated(nonsending) @escaping @Sendable () async throws -> Success
) async throws -> Success {
    // A task of its own, as a task that has been cancelled stays so.
    async let outcome = deadline.watch(operation)
    do {
        return try await outcome
    } catch {
        if let cause = deadline.passed { throw MovingDeadline.Exceeded(cause: cause) }
        throw error
    }
}
