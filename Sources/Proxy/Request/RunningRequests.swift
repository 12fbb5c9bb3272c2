import ProxyAccounting
import Synchronization

/// The requests that run now, for whoever wants to look at them.
///
/// In parts, so that event loops do not meet at one lock; a request puts its trace in when it begins and takes it out when it ends, by its place.
final class RunningRequests: Sendable {
    /// Where a request is.
    struct Place: Sendable {
        fileprivate let shard: Int
        fileprivate let slot: Int
    }

    private struct Slots {
        var traces: [RequestTrace?] = []
        var free: [Int] = []
    }
    private final class Shard: Sendable {
        let slots = Mutex(Slots())
        /// Two cache lines, so that no other shard's lock is on this one's.
        private let padding = InlineArray<16, UInt64>(repeating: 0)
    }

    private static let shardBits: UInt64 = 4
    private let shards = (0..<1 << shardBits).map { _ in Shard() }

    func add(_ trace: RequestTrace) -> Place {
        let shard = ThreadShard.index(bits: Self.shardBits)
        let slot = shards[shard].slots.withLock { slots in
            guard let free = slots.free.popLast() else {
                slots.traces.append(trace)
                return slots.traces.count - 1
            }
            slots.traces[free] = trace
            return free
        }
        return Place(shard: shard, slot: slot)
    }

    func remove(_ place: Place) {
        // Whoever is the last to hold the trace lets go of it outside the lock.
        let trace = shards[place.shard].slots.withLock { slots in
            slots.free.append(place.slot)
            return slots.traces[place.slot].take()
        }
        _ = consume trace
    }

    var count: Int { shards.reduce(0) { sum, shard in sum + shard.slots.withLock { $0.traces.count - $0.free.count } } }

    /// All of them, the newest first.
    var all: [RequestTrace] {
        shards.flatMap { $0.slots.withLock { $0.traces.compactMap(\.self) } }.sorted {
            ($0.head.arrivedAt, $0.head.id) > ($1.head.arrivedAt, $1.head.id)
        }
    }

    func trace(of id: String) -> RequestTrace? { all.first { $0.head.id == id } }
}
