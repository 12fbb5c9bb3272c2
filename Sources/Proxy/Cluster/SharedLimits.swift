import ProxyCluster
import ProxyRouting

/// What an instance shares: the permits of its upstreams.
protocol SharedLimits: Sendable {
    /// What it wants of each, at this moment.
    func wants() async -> [PermitWant]
    /// Takes what it has been given.
    ///
    /// - Parameter lease: of an object by its name; nil when limits are not shared any more.
    func take(_ lease: @Sendable (String) -> PermitLease) async
}

/// The permits of accounts and providers, by what they are in all instances.
struct SharedUpstreams: SharedLimits {
    let router: Router
    /// The names of those that serve, by their places.
    let names: @Sendable () -> [Int: String]

    func wants() async -> [PermitWant] {
        let names = names()
        let demand = await router.demand(of: Array(names.keys))
        return names.sorted { $0.key < $1.key }.compactMap { place, name in
            demand[place].map {
                PermitWant(name: name, limit: $0.limit, inFlight: $0.inFlight, waiting: $0.waiting)
            }
        }
    }

    func take(_ lease: @Sendable (String) -> PermitLease) async {
        await router.share(names().mapValues { SharedCapacity(lease($0)) })
    }
}

extension SharedCapacity {
    init(_ lease: PermitLease) {
        self.init(share: lease.share, until: lease.until, safe: lease.safe, safeUntil: lease.safeUntil)
    }
}
