package import Proxy
import Synchronization

/// Time that stands still until a test moves it.
package final class ManualTime: Sendable {
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
        /// Tests that wait until that many tasks sleep.
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    private let wallClockStart: Int64

    /// - Parameter wallClock: seconds since 1970 at the beginning.
    package init(wallClock: Int64 = 2_020_109_500) {
        wallClockStart = wallClock
    }

    /// What the code under test is given.
    package var source: TimeSource { source(noticingGaps: false) }

    /// - Parameter noticingGaps: whether a leap that the watch over deadlines sleeps through is one of the process. Then it sleeps on, as the process's own does.
    package func source(noticingGaps: Bool) -> TimeSource {
        TimeSource(
            now: { self.now },
            sleep: { try await self.sleep(until: $0) },
            wallClock: { self.wallClockStart + self.now.components.seconds }, lingers: noticingGaps,
            noticesGaps: noticingGaps)
    }

    package var now: Duration { state.withLock { $0.now } }

    /// How many tasks are asleep.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Moves time on and wakes whoever is due, in the order of their moments.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let now = state.now
            let due = state.sleepers.filter { $0.instant <= now }.sorted { $0.instant < $1.instant }
            state.sleepers.removeAll { $0.instant <= now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns as soon as at least `count` tasks are asleep.
    package func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func sleep(until instant: Duration) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Outcome {
                    case parked([CheckedContinuation<Void, Never>])
                    case due, cancelled
                }
                let outcome: Outcome = state.withLock { state in
                    if state.cancelled.remove(id) != nil || Task.isCancelled { return .cancelled }
                    if instant <= state.now { return .due }
                    state.sleepers.append(Sleeper(id: id, instant: instant, continuation: continuation))
                    let count = state.sleepers.count
                    let served = state.watchers.filter { $0.count <= count }.map(\.continuation)
                    state.watchers.removeAll { $0.count <= count }
                    return .parked(served)
                }
                switch outcome {
                case .parked(let watchers): for watcher in watchers { watcher.resume() }
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
