import ProxyRouting
import Synchronization

/// What each client key has left of its `rate_limit`. It outlives reloads: a key that stays does not get a full bucket by one.
///
/// Only the names of the configuration's keys come in here, so there are as many buckets as keys and nobody can make more.
final class RequestRates: Sendable {
    private struct Account {
        var bucket = RequestBucket()
        var refused = 0
    }

    private let accounts = Mutex<[String: Account]>([:])
    /// What is shared with other instances; nil where there are none.
    private let shared: SharedMeters?

    init(shared: SharedMeters? = nil) { self.shared = shared }

    /// Takes one request of a key into account, or refuses it.
    ///
    /// - Parameters:
    ///   - key: the name of a key of the configuration.
    ///   - limit: requests a minute; 0 is no limit.
    /// - Returns: how the key stands; nil without a limit.
    func take(_ key: String, limit: Int, at now: Duration) -> RequestBucket.Standing? {
        guard limit > 0 else { return nil }
        let standing = accounts.withLock { accounts in
            let standing = accounts[key, default: Account()].bucket.take(limit: limit, at: now)
            if standing.refusedFor != nil { accounts[key, default: Account()].refused += 1 }
            return standing
        }
        guard let shared, standing.refusedFor == nil else { return standing }
        let demand = SharedMeters.Demand(meter: .requestsPerMinute(key: key), limit: Int64(limit), amount: 1)
        guard let refusal = shared.take([demand], at: now) else { return standing }
        accounts.withLock { $0[key, default: Account()].refused += 1 }
        return standing.refused(for: refusal.wait ?? .seconds(60))
    }

    /// How a key stands; nil without a limit.
    func standing(of key: String, limit: Int, at now: Duration) -> RequestBucket.Standing? {
        guard limit > 0 else { return nil }
        return accounts.withLock { ($0[key]?.bucket ?? RequestBucket()).standing(limit: limit, at: now) }
    }

    /// The standing of a key that would be refused now, which is counted; nil when `take` may be tried.
    func refusal(of key: String, limit: Int, at now: Duration) -> RequestBucket.Standing? {
        guard limit > 0 else { return nil }
        return accounts.withLock { accounts in
            guard let standing = accounts[key]?.bucket.standing(limit: limit, at: now), standing.refusedFor != nil
            else { return nil }
            accounts[key]?.refused += 1
            return standing
        }
    }

    /// Forgets the keys that are not among these.
    func keep(_ keys: Set<String>) {
        accounts.withLock { accounts in accounts = accounts.filter { keys.contains($0.key) } }
    }

    /// How many requests of a key have been refused, by its name and in order. Keys that have asked nothing are not listed.
    var refused: [(key: String, count: Int)] {
        accounts.withLock { $0.map { ($0.key, $0.value.refused) } }.sorted { $0.0 < $1.0 }
    }
}
