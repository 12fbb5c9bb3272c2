import ProxyCluster
import Synchronization

/// What this instance says of itself to the others, every few seconds.
final class OwnInstance: SharedNews {
    private let name: String
    private let startedAt: Duration
    private let facts: @Sendable () async -> (state: String, inFlight: Int)
    private let last = Mutex<Duration?>(nil)

    /// - Parameters:
    ///   - startedAt: of the monotonic clock.
    ///   - facts: as they are now.
    init(name: String, startedAt: Duration, facts: @escaping @Sendable () async -> (state: String, inFlight: Int)) {
        self.name = name
        self.startedAt = startedAt
        self.facts = facts
    }

    func told(_ clock: EngineClock) async -> [News] {
        let isDue = last.withLock { last in
            guard last.map({ clock.now - $0 >= InstanceNews.interval }) ?? true else { return false }
            last = clock.now
            return true
        }
        guard isDue else { return [] }
        let (state, inFlight) = await facts()
        return [
            .instance(
                InstanceNews(
                    name: name, version: ProxyVersion.current, state: state,
                    startedAt: max(0, clock.time(of: startedAt)), inFlight: inFlight, at: clock.time))
        ]
    }

    func hear(_ change: NewsBoard.Change, _ clock: EngineClock) {}
}
