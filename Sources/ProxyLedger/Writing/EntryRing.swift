import ProxyAccounting
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Entries that wait to be written: bounded, and filled by any thread without waiting for the writer.
///
/// Each thread has one of some shards, so that event loops seldom meet at the same lock, and one that loses its core while it has a lock
/// stops few others. Where the ring is full, the row is lost, and what its key is to be charged with is kept.
final class EntryRing: Sendable {
    private final class Shard: Sendable {
        struct State {
            /// In pieces, so that what is there need not be moved when more comes.
            var full: [[LedgerEntry]] = []
            var entries: [LedgerEntry] = []
            var overflow = CounterBook()
            /// Entries that were ever taken in.
            var accepted = 0
            var isClosed = false
        }
        let state = Mutex(State())
    }
    private struct Tally {
        var written = 0
        var dropped = 0
        /// Those among `dropped` that had been taken in.
        var lost = 0
        var isAbandoned = false
        var documentsDropped = 0
        var problem: String?
    }

    private static let shardCount = 16
    private static let piece = 32

    private let shards = (0..<shardCount).map { _ in Shard() }
    private let capacity: Int
    private let wakeAt: Int
    private let periodStart: @Sendable (BudgetWindow, Int64) -> Int64
    private let recorded = Atomic(0)
    /// Written or dropped.
    private let settled = Atomic(0)
    private let tally = Mutex(Tally())

    init(capacity: Int, wakeAt: Int, periodStart: @escaping @Sendable (BudgetWindow, Int64) -> Int64) {
        self.capacity = capacity
        self.wakeAt = wakeAt
        self.periodStart = periodStart
    }

    /// The thread's.
    private static var shard: Int {
        #if canImport(Darwin)
            let thread = unsafe UInt(bitPattern: pthread_self())
        #else
            let thread = UInt(pthread_self())
        #endif
        // Threads' addresses lie whole pages apart: the upper bits of the product are the well mixed ones.
        return Int(truncatingIfNeeded: (UInt64(thread) >> 12 &* 0x9E37_79B9_7F4A_7C15) >> 60)
    }

    /// - Returns: whether so many wait that the writer should not wait for its time.
    func record(_ entry: LedgerEntry) -> Bool {
        let number = recorded.wrappingAdd(1, ordering: .relaxed).newValue
        let waiting = number - settled.load(ordering: .relaxed)
        let isKept = shards[Self.shard].state.withLock { state in
            guard !state.isClosed else { return false }
            guard waiting <= capacity else {
                state.overflow.charge(entry, periodStart)
                return false
            }
            if state.entries.count == Self.piece {
                state.full.append(state.entries)
                state.entries = []
            }
            if state.entries.isEmpty { state.entries.reserveCapacity(Self.piece) }
            state.entries.append(entry)
            state.accepted += 1
            return true
        }
        guard isKept else {
            tally.withLock { $0.dropped += 1 }
            settled.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        return waiting >= wakeAt
    }

    /// Takes all that waits, and what lost rows are to be charged with.
    ///
    /// - Parameter closing: nothing is taken in any more.
    func drain(into entries: inout [LedgerEntry], _ charges: inout CounterBook, closing: Bool = false) {
        for shard in shards {
            let taken = shard.state.withLock { state in
                let taken = (state.full, state.entries, state.overflow)
                state.full = []
                state.entries = []
                state.overflow = CounterBook()
                state.isClosed = state.isClosed || closing
                return taken
            }
            for piece in taken.0 { entries.append(contentsOf: piece) }
            entries.append(contentsOf: taken.1)
            if !taken.2.isEmpty { charges.merge(taken.2) }
        }
    }

    /// Counts what the writer has written or lost, of what it has drained.
    func settle(written: Int = 0, lost: Int = 0) {
        tally.withLock { tally in
            guard !tally.isAbandoned else { return }
            tally.written += written
            tally.lost += lost
            tally.dropped += lost
            settled.wrappingAdd(written + lost, ordering: .relaxed)
        }
    }

    /// Counts all that waits as lost, and takes nothing in any more: nobody waits for the writer.
    func abandon() {
        var accepted = 0
        for shard in shards {
            accepted += shard.state.withLock { state in
                state.isClosed = true
                state.full = []
                state.entries = []
                return state.accepted
            }
        }
        tally.withLock { tally in
            guard !tally.isAbandoned else { return }
            let rest = accepted - tally.written - tally.lost
            tally.isAbandoned = true
            tally.dropped += rest
            settled.wrappingAdd(rest, ordering: .relaxed)
        }
    }

    func dropDocument() { tally.withLock { $0.documentsDropped += 1 } }

    var problem: String? {
        get { tally.withLock { $0.problem } }
        set { tally.withLock { $0.problem = newValue } }
    }

    var figures: LedgerFigures {
        tally.withLock { tally in
            var figures = LedgerFigures()
            figures.written = tally.written
            figures.dropped = tally.dropped
            figures.documentsDropped = tally.documentsDropped
            figures.pending = recorded.load(ordering: .relaxed) - tally.written - tally.dropped
            figures.problem = tally.problem
            return figures
        }
    }
}
