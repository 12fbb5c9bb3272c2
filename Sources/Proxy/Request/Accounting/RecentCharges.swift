import ProxyAccounting
import Synchronization

/// What requests of a key have used for which nothing was reserved, by threads, until somebody looks. Most keys have no limits, and all event loops charge
/// the same one: at one lock they would wait for each other's cache lines at each request.
final class RecentCharges: Sendable {
    struct Sums: Sendable {
        var requests: Int64 = 0
        var tokens: Int64 = 0
        var cost: NanoDollars = 0

        /// What an upstream tells may be anything.
        mutating func add(_ other: Sums) {
            func sum(_ left: Int64, _ right: Int64) -> Int64 {
                let (sum, overflow) = left.addingReportingOverflow(max(right, 0))
                return overflow ? .max : sum
            }
            requests = sum(requests, other.requests)
            tokens = sum(tokens, other.tokens)
            cost = sum(cost, other.cost)
        }
    }
    private struct Part {
        var sums = Sums()
        /// The moments that are of all periods under way, as far as is known here.
        var common = BudgetPeriod(start: .max, end: .min)
    }
    private final class Shard: Sendable {
        let part = Mutex(Part())
        /// A cache line, so that no other shard's lock is on this one's.
        private let padding = InlineArray<8, UInt64>(repeating: 0)
    }

    private static let shardBits: UInt64 = 3
    private let shards = (0..<1 << shardBits).map { _ in Shard() }
    private let isUsed = Atomic(false)

    private var own: Shard { shards[ThreadShard.index(bits: Self.shardBits)] }

    /// - Parameter seconds: since 1970; the request's arrival.
    /// - Returns: false when it is not known here which periods that moment is of: then nothing has been added.
    func add(tokens: Int64, cost: NanoDollars, at seconds: Int64) -> Bool {
        own.part.withLock { part in
            guard seconds >= part.common.start, seconds < part.common.end else { return false }
            part.sums.add(Sums(requests: 1, tokens: tokens, cost: cost))
            return true
        }
    }

    /// Lets the thread add what is of these moments, until they are forgotten.
    func begin(_ common: BudgetPeriod) {
        isUsed.store(true, ordering: .relaxed)
        own.part.withLock { $0.common = common }
    }

    /// Takes all of it, before periods may change.
    func take() -> Sums? {
        guard isUsed.load(ordering: .relaxed) else { return nil }
        var all = Sums()
        for shard in shards {
            all.add(
                shard.part.withLock { part in
                    defer { part.sums = Sums() }
                    return part.sums
                })
        }
        return all.requests > 0 ? all : nil
    }

    /// Periods have changed.
    func forget() {
        guard isUsed.load(ordering: .relaxed) else { return }
        for shard in shards { shard.part.withLock { $0.common = Part().common } }
    }
}
