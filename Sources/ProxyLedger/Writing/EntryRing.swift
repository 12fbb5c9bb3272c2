import ProxyAccounting
import Synchronization

/// Entries that wait to be written: bounded, and filled by any thread without waiting for the writer.
///
/// Each thread has one of some shards, so that event loops seldom meet at the same lock, and one that loses its core while it has a lock
/// stops few others. What the shards share, how much room is left, they touch once in `lease` entries. Where the ring is full, the row is lost, and what
/// its key is to be charged with is kept.
final class EntryRing: Sendable {
    private final class Shard: Sendable {
        struct State {
            /// In pieces, so that what is there need not be moved when more comes.
            var full: [EntryPage] = []
            var page = EntryPage()
            /// Pages that the writer has made.
            var spare: [EntryPage] = []
            var overflow = CounterBook()
            /// Room that has been taken from the ring and not been used.
            var lease = 0
            /// Entries that were ever taken in, and that were not.
            var accepted = 0
            var refused = 0
            var isClosed = false
        }
        let state = Mutex(State())
        /// Two cache lines, so that no other shard's lock is on this one's.
        private let padding = InlineArray<16, UInt64>(repeating: 0)
    }
    private struct Tally {
        var written = 0
        var folded = 0
        /// Those that had been taken in.
        var lost = 0
        var isAbandoned = false
        var documentsDropped = 0
        var problem: String?
    }

    private static let shardBits: UInt64 = 4
    private static let piece = 32
    /// Of each shard: what comes in a quarter of a second, where there is much to do.
    private static let sparePages = 32

    private let shards = (0..<1 << shardBits).map { _ in Shard() }
    private let capacity: Int
    private let wakeAt: Int
    private let lease: Int
    private let periodStart: @Sendable (BudgetWindow, Int64) -> Int64
    /// How many more may wait.
    private let room: Atomic<Int>
    private let tally = Mutex(Tally())

    /// - Parameters:
    ///   - capacity: entries that wait at most. While several threads fill it, it may be full some entries earlier.
    ///   - wakeAt: entries that may wait before the writer is woken.
    init(capacity: Int, wakeAt: Int, periodStart: @escaping @Sendable (BudgetWindow, Int64) -> Int64) {
        self.capacity = capacity
        self.wakeAt = wakeAt
        lease = max(min(Self.piece, wakeAt), 1)
        self.periodStart = periodStart
        room = Atomic(capacity)
    }

    /// - Parameter write: writes one request down, at once. Where there is no room for it, it is only charged.
    /// - Returns: whether so many wait that the writer should not wait for its time.
    func record(_ write: (inout EntryPage) -> Void) -> Bool {
        shards[ThreadShard.index(bits: Self.shardBits)].state.withLock { state in
            guard !state.isClosed else {
                state.refused += 1
                _ = Self.row(write)
                return false
            }
            var wakes = false
            if state.lease == 0 {
                let left = takeLease(&state.lease)
                guard state.lease > 0 else {
                    state.refused += 1
                    let (row, key) = Self.row(write)
                    state.overflow.charge(row, key, periodStart)
                    return false
                }
                wakes = capacity - left >= wakeAt
            }
            state.lease -= 1
            state.accepted += 1
            if state.page.count == Self.piece {
                state.full.append(state.page)
                state.page = EntryPage()
            }
            if !state.page.hasRoom { state.page = state.spare.popLast() ?? EntryPage(capacity: Self.piece) }
            let before = state.page.count
            write(&state.page)
            assert(state.page.count == before + 1, "one request was to be written")
            return wakes
        }
    }

    /// What would have been kept.
    private static func row(_ write: (inout EntryPage) -> Void) -> (EntryRow, key: String) {
        var page = EntryPage()
        write(&page)
        return (page.rows[0], page.name(page.rows[0].key))
    }

    /// - Returns: the room that is left.
    private func takeLease(_ lease: inout Int) -> Int {
        var left = room.load(ordering: .relaxed)
        while left > 0 {
            let taken = min(left, self.lease)
            let (isTaken, now) = room.weakCompareExchange(expected: left, desired: left - taken, ordering: .relaxed)
            if isTaken {
                lease = taken
                return left - taken
            }
            left = now
        }
        return 0
    }

    /// Takes all that waits, and what lost rows are to be charged with.
    ///
    /// - Parameter closing: nothing is taken in any more.
    func drain(into batch: inout EntryBatch, _ charges: inout CounterBook, closing: Bool = false) {
        for shard in shards {
            let taken = shard.state.withLock { state in
                let taken = (state.full, state.page, state.overflow)
                state.full = []
                state.page = EntryPage()
                state.overflow = CounterBook()
                state.isClosed = state.isClosed || closing
                return taken
            }
            var count = 0
            for page in taken.0 + [taken.1] where page.count > 0 {
                batch.append(page)
                count += 1
            }
            // Their room is made, and let go of, by the writer: what one thread has allocated another one frees dearly.
            let spare = (0..<min(count, Self.sparePages)).map { _ in EntryPage(capacity: Self.piece) }
            if !spare.isEmpty, !closing { shard.state.withLock { if $0.spare.isEmpty { $0.spare = spare } } }
            if !taken.2.isEmpty { charges.merge(taken.2) }
        }
    }

    /// What waits, to be looked at.
    var waiting: [EntryPage] { shards.flatMap { $0.state.withLock { $0.full + [$0.page] } } }

    /// Counts what the writer has written or lost, of what it has drained.
    ///
    /// - Parameter folded: those among the written ones that share a row.
    func settle(written: Int = 0, folded: Int = 0, lost: Int = 0) {
        tally.withLock { tally in
            guard !tally.isAbandoned else { return }
            tally.written += written
            tally.folded += folded
            tally.lost += lost
        }
        room.wrappingAdd(written + lost, ordering: .relaxed)
    }

    /// Counts all that waits as lost, and takes nothing in any more: nobody waits for the writer.
    func abandon() {
        for shard in shards {
            shard.state.withLock { state in
                state.isClosed = true
                state.full = []
                state.page = EntryPage()
            }
        }
        let accepted = shards.map { $0.state.withLock(\.accepted) }.reduce(0, +)
        tally.withLock { tally in
            guard !tally.isAbandoned else { return }
            tally.isAbandoned = true
            tally.lost = accepted - tally.written
        }
    }

    func dropDocument() { tally.withLock { $0.documentsDropped += 1 } }

    var problem: String? {
        get { tally.withLock { $0.problem } }
        set { tally.withLock { $0.problem = newValue } }
    }

    var figures: LedgerFigures {
        var (accepted, refused) = (0, 0)
        for shard in shards {
            shard.state.withLock { state in
                accepted += state.accepted
                refused += state.refused
            }
        }
        return tally.withLock { tally in
            var figures = LedgerFigures()
            figures.written = tally.written
            figures.folded = tally.folded
            figures.dropped = tally.lost + refused
            figures.documentsDropped = tally.documentsDropped
            // What has been written since the shards were looked at may not have been there yet.
            figures.pending = max(accepted - tally.written - tally.lost, 0)
            figures.problem = tally.problem
            return figures
        }
    }
}
