import Synchronization

/// How many requests have ended, by route and status. Both come from short lists, so the number of counters is bounded.
final class RequestCounters: Sendable {
    struct Key: Hashable, Comparable, Sendable {
        let route: String
        let status: Int

        static func < (one: Key, other: Key) -> Bool { (one.route, one.status) < (other.route, other.status) }
    }

    private let counts = Mutex<[Key: Int]>([:])

    func count(route: String, status: Int) {
        counts.withLock { $0[Key(route: route, status: status), default: 0] += 1 }
    }

    /// In order, so that two scrapes look alike.
    var all: [(key: Key, count: Int)] {
        counts.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.0 < $1.0 }
    }
}
