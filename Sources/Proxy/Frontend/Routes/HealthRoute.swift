import NIOHTTP1

/// `GET /health`: what the health checks know. It starts none, so a load balancer may ask as often as it likes; but where none are made
/// by the clock it asks all providers, at most once in ten seconds.
struct HealthRoute: Sendable {
    let mode: String
    let router: Router
    let roster: Roster
    /// Nil where the checks are made by the clock.
    var rounds: HealthRounds?

    /// A word for the whole: all well, some, or none.
    enum Status: String, Sendable {
        case healthy, degraded, unhealthy

        init(healthy: Int, total: Int) {
            self = healthy == 0 ? .unhealthy : healthy < total ? .degraded : .healthy
        }
    }

    func answer() async -> Answer {
        let verdicts = await rounds?.current()
        let snapshot = await router.snapshot()
        func isHealthy(_ place: Int) -> Bool {
            let state = snapshot.upstreams[place].state
            // What is known of its calls counts as well: while its breaker is open nobody can use it.
            return (verdicts?[place] ?? state.health.isHealthy) && state.breaker.state(at: snapshot.at) != .open
        }
        var accounts: [(id: String, healthy: Bool)] = []
        var providers: [(id: String, healthy: Bool)] = []
        for entry in roster.entries {
            switch entry {
            case .serving(let index):
                let upstream = snapshot.upstreams[index].upstream
                if let provider = upstream.backend as? Provider {
                    // A pool is well while one of its entries is.
                    if let known = providers.firstIndex(where: { $0.id == provider.name }) {
                        providers[known].healthy = providers[known].healthy || isHealthy(index)
                    } else {
                        providers.append((provider.name, isHealthy(index)))
                    }
                } else {
                    accounts.append((upstream.id, isHealthy(index)))
                }
            // Who is switched off is not missed; who cannot be used is.
            case .idle(let account): if account.isEnabled { accounts.append((account.id, false)) }
            }
        }
        let healthy = (providers: providers.count { $0.healthy }, accounts: accounts.count { $0.healthy })
        let status = Status(healthy: healthy.providers + healthy.accounts, total: providers.count + accounts.count)

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(status.rawValue)
        writer.key("mode")
        writer.string(mode)
        for (key, list, up, total) in [
            ("providers", providers, healthy.providers, providers.count), ("accounts", accounts, healthy.accounts, accounts.count),
        ] as [(String, [(id: String, healthy: Bool)], Int, Int)] {
            writer.key(key)
            writer.beginObject()
            for entry in list {
                writer.key(entry.id)
                writer.bool(entry.healthy)
            }
            writer.endObject()
            writer.key("healthy_\(key)")
            writer.int(up)
            writer.key("total_\(key)")
            writer.int(total)
        }
        writer.endObject()
        return .json(writer.bytes, status: status == .unhealthy ? .serviceUnavailable : .ok)
    }
}
