import Dispatch
import GRDB
import ProxyAccounting
import Synchronization

/// What the writer's thread is given by others.
final class WriterInbox: Sendable {
    /// Something to do behind what has been recorded so far.
    enum Job: Sendable {
        /// In a transaction of its own. `failed` is told when there is none.
        case write(@Sendable (Database) throws -> Void, failed: @Sendable (any Error) -> Void)
        /// Everything that was recorded is written or lost; so is everything remembered, where writing works.
        case flushed(@Sendable () -> Void)
        /// All that upkeep has to do, at once.
        case upkeep(@Sendable () -> Void)
    }
    private struct State {
        var jobs: [Job] = []
        var isStopping = false
        var isAbandoned = false
    }

    let ring: EntryRing
    let notes: NoteBox
    let pulse: WriterPulse
    let recent = RecentEntries()
    private let state = Mutex(State())
    private let bell = DispatchSemaphore(value: 0)
    /// Rung, and not heard yet: the bell need not ring for each entry.
    private let isRung = Atomic(false)

    init(ring: EntryRing, notes: NoteBox, pulse: WriterPulse) {
        self.ring = ring
        self.notes = notes
        self.pulse = pulse
    }

    func wake() {
        // Looked at first: an exchange would take the cache line from all others, each time.
        guard !isRung.load(ordering: .relaxed) else { return }
        if !isRung.exchange(true, ordering: .acquiringAndReleasing) { bell.signal() }
    }

    /// Waits for somebody to ring, or for so long.
    func wait(_ limit: Duration) {
        pulse.rest(limit)
        _ = bell.wait(timeout: .now() + limit / .seconds(1))
        pulse.beat()
        isRung.store(false, ordering: .sequentiallyConsistent)
    }

    /// - Returns: false when the writer stops.
    func put(_ job: Job) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            state.jobs.append(job)
            return true
        }
        if isTaken { wake() }
        return isTaken
    }

    func takeJobs() -> [Job] {
        state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
    }

    /// Nobody waits for the writer any more: what it still has is lost.
    func abandon() { state.withLock { $0.isAbandoned = true } }

    var isStopping: Bool { state.withLock { $0.isStopping } }
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
}
