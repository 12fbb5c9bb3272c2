import Synchronization

/// How many requests have ended, by route and status. Both come from short lists, so the number of counters is bounded.
final class RequestCounters: Sendable {
    struct Key: Hashable, Comparable, Sendable {
        let route: String
        let status: Int

        static func < (one: Key, other: Key) -> Bool { (one.route, one.status) < (other.route, other.status) }
    }

    /// Most requests end as the one before: they are counted beside the table, and no key is hashed.
    private struct State {
        var counts: [Key: Int] = [:]
        var last = Key(route: "", status: 0)
        var run = 0

        mutating func settle() {
            guard run > 0 else { return }
            counts[last, default: 0] += run
            run = 0
        }
    }

    private let state = Mutex(State())

    func count(route: String, status: Int) {
        let key = Key(route: route, status: status)
        state.withLock {
            if $0.last != key {
                $0.settle()
                $0.last = key
            }
            $0.run += 1
        }
    }

    /// In order, so that two scrapes look alike.
    var all: [(key: Key, count: Int)] {
        let counts = state.withLock { state in
            state.settle()
            return state.counts
        }
        return counts.map { (key: $0.key, count: $0.value) }.sorted { $0.key < $1.key }
    }
}
