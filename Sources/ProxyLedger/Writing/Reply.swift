import Synchronization

/// An answer that somebody waits for, given once: by whoever does the work, or by the clock.
final class Reply<Value: Sendable>: Sendable {
    private enum State {
        case open([CheckedContinuation<Value, any Error>])
        case answered(Result<Value, any Error>)
    }
    private let state = Mutex(State.open([]))

    /// Only the first answer counts.
    func answer(_ result: Result<Value, any Error>) {
        let waiting: [CheckedContinuation<Value, any Error>] = state.withLock { state in
            guard case .open(let waiting) = state else { return [] }
            state = .answered(result)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    var isAnswered: Bool {
        state.withLock { state in
            if case .answered = state { true } else { false }
        }
    }

    var value: Value {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Value, any Error>? = state.withLock { state in
                    switch state {
                    case .answered(let result): return result
                    case .open(let waiting):
                        state = .open(waiting + [continuation])
                        return nil
                    }
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }
}
