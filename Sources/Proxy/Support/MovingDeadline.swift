import Synchronization

/// The moment at which an operation is given up, and why. The operation moves it as it gets on: a deadline for the first
/// event becomes one for the next, and so on.
final class MovingDeadline: Sendable {
    /// What took too long.
    enum Cause: Equatable, Sendable {
        /// `request_timeout`: no whole answer, or no first event.
        case request
        /// `first_token_timeout`.
        case firstToken
        /// `stream_timeout`: silence of the upstream inside a stream.
        case silence
        /// The client took nothing of what was ready for it for as long.
        case slowClient
        /// The upstream said that its answer was finished, yet keeps the stream open.
        case tail
        /// The answer is complete; only the end of its body is missing.
        case drain
    }

    /// The deadline passed.
    struct Exceeded: Error, Equatable {
        let cause: Cause
    }

    /// A move to an earlier moment is noticed within this time. Waking the sleeper instead would cost a second task per
    /// stream; looking up now and then costs some microseconds every few seconds.
    static let grain = Duration.seconds(2)

    private struct State {
        var moment: Duration
        var cause: Cause
        var hasPassed = false
    }

    private let time: TimeSource
    private let state: Mutex<State>

    init(at moment: Duration, for cause: Cause, on time: TimeSource) {
        self.time = time
        state = Mutex(State(moment: moment, cause: cause))
    }

    /// Does nothing once the deadline has passed.
    func move(to moment: Duration, for cause: Cause) {
        state.withLock { if !$0.hasPassed { $0 = State(moment: moment, cause: cause) } }
    }

    /// Why the operation has been given up; nil as long as it has not.
    var passed: Cause? { state.withLock { $0.hasPassed ? $0.cause : nil } }

    /// Returns when the deadline has passed.
    ///
    /// - Throws: `CancellationError`.
    fileprivate func pass() async throws -> Exceeded {
        while true {
            let now = time.now()
            let state = state.withLock { state in
                if state.moment <= now { state.hasPassed = true }
                return state
            }
            guard !state.hasPassed else { return Exceeded(cause: state.cause) }
            try await time.sleep(min(state.moment, now + Self.grain))
        }
    }
}

/// Runs `operation`, and cancels it when `deadline` passes.
///
/// Returns only after the operation has ended, so nothing of it runs on afterwards. An operation that comes to a good end
/// although it was cancelled (it had what it needed) keeps its result.
///
/// - Throws: `MovingDeadline.Exceeded` when the deadline passed first, else what the operation throws.
func withDeadline<Success: Sendable>(
    _ deadline: MovingDeadline, _ operation: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    try await withThrowingTaskGroup(of: Race<Success>.self) { group in
        group.addTask { .ended(try await operation()) }
        group.addTask { .passed(try await deadline.pass()) }
        defer { group.cancelAll() }
        switch try await group.next() {
        case .ended(let success): return success
        case .passed(let exceeded):
            group.cancelAll()
            if case .ended(let success)? = try? await group.next() { return success }
            throw exceeded
        case nil: throw CancellationError()
        }
    }
}

private enum Race<Success: Sendable>: Sendable {
    case ended(Success)
    case passed(MovingDeadline.Exceeded)
}
