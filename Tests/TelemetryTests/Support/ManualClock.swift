import Synchronization

/// Time that stands still until a test moves it.
final class ManualClock: Sendable {
    private struct Sleeper {
        let id: Int
        let instant: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Duration.zero
        var nextID = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    var now: Duration { state.withLock { $0.now } }

    /// The moments until which somebody sleeps, the nearest first.
    var alarms: [Duration] { state.withLock { $0.sleepers.map(\.instant).sorted() } }

    /// Moves time on, and wakes whoever is due.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let now = state.now
            let due = state.sleepers.filter { $0.instant <= now }
            state.sleepers.removeAll { $0.instant <= now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    func sleep(until instant: Duration) async throws {
        enum Outcome { case parked, due, cancelled }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Outcome = state.withLock { state in
                    if state.cancelled.remove(id) != nil || Task.isCancelled { return .cancelled }
                    if instant <= state.now { return .due }
                    state.sleepers.append(Sleeper(id: id, instant: instant, continuation: continuation))
                    return .parked
                }
                switch outcome {
                case .parked: break
                case .due: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}

/// Lets other tasks go on until something is so. Nothing waits for real time here, so it is soon so, or never.
func eventually(_ isSo: () -> Bool) async -> Bool {
    for _ in 0..<200_000 {
        if isSo() { return true }
        await Task.yield()
    }
    return isSo()
}
