import NIOHTTP1
import ProxyRouting

/// `GET /health`: what the health checks know. It starts none, so a load balancer may ask as often as it likes; but where none are made
/// by the clock it asks all providers, at most once in ten seconds.
struct HealthRoute: Sendable {
    let mode: String
    let router: Router
    let accountList: AccountList
    /// Nil where the checks are made by the clock.
    var rounds: HealthRounds?
    /// Who is told to stop gets no further work, however well it is.
    var drain = Drain()
    /// How it stands with other instances; nil where there are none.
    var cluster: @Sendable () -> ClusterStatus.Facts? = { nil }

    /// A word for the whole: all well, some, or none; or that there is no point in asking any more.
    enum Status: String, Sendable {
        case healthy, degraded, unhealthy, draining

        init(healthy: Int, total: Int) {
            self = healthy == 0 ? .unhealthy : healthy < total ? .degraded : .healthy
        }
    }

    func answer() async -> Response {
        let isDraining = drain.isDraining
        let verdicts = isDraining ? nil : await rounds?.current()
        let members = members(in: await router.snapshot(), verdicts ?? [:])
        let (healthy, total) = (members.flatMap(\.list).count { $0.healthy }, members.flatMap(\.list).count)
        let cluster = cluster()
        var status = isDraining ? .draining : Status(healthy: healthy, total: total)
        // It serves, with a part of each limit.
        if status == .healthy, cluster?.isShared == false { status = .degraded }

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(status.rawValue)
        writer.key("mode")
        writer.string(mode)
        if let cluster {
            writer.key("shared_state")
            writer.string(cluster.word)
            writer.key("instances")
            writer.int(cluster.instances)
        }
        for (key, list) in members {
            writer.key(key)
            writer.beginObject()
            for entry in list {
                writer.key(entry.id)
                writer.bool(entry.healthy)
            }
            writer.endObject()
            writer.key("healthy_\(key)")
            writer.int(list.count { $0.healthy })
            writer.key("total_\(key)")
            writer.int(list.count)
        }
        writer.endObject()
        return .json(writer.bytes, status: status == .unhealthy || status == .draining ? .serviceUnavailable : .ok)
    }

    /// The whole in three numbers.
    struct Summary: Equatable, Sendable {
        /// Providers and accounts that are well, of how many.
        let healthy: Int
        let total: Int
        /// Requests that hold a permit.
        let inFlight: Int
    }

    func summary() async -> Summary {
        // A snapshot that is taken after this route was made knows all of the route's upstreams; an older one need not.
        let snapshot = await router.snapshot()
        let all = members(in: snapshot, [:]).flatMap(\.list)
        return Summary(healthy: all.count { $0.healthy }, total: all.count, inFlight: snapshot.permits.inUse)
    }

    private typealias Member = (id: String, healthy: Bool)

    /// - Parameter verdicts: of checks that were made for the one who asks, by place.
    private func members(in snapshot: Router.Snapshot, _ verdicts: [Int: Bool]) -> [(key: String, list: [Member])] {
        func isHealthy(_ index: Int) -> Bool { snapshot.isHealthy(index, verdict: verdicts[index]) }
        var accounts: [Member] = []
        var providers: [Member] = []
        for entry in accountList.entries {
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
        return [("providers", providers), ("accounts", accounts)]
    }
}
