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
    /// What has been found out here since the last call, for all.
    ///
    /// - Parameter engineTime: of a moment here, in milliseconds since 1970.
    func news(_ engineTime: (Duration) -> Int64) -> [News]
    /// What others have found out.
    ///
    /// - Parameter left: until a moment of the engine's time.
    func hear(_ change: NewsBoard.Change, _ left: (Int64) -> Duration) async
}

/// The permits of accounts and providers, by what they are in all instances.
struct SharedUpstreams: SharedLimits {
    let router: Router
    let finds: RoutingFinds?
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

    func news(_ engineTime: (Duration) -> Int64) -> [News] {
        guard let finds else { return [] }
        let names = names()
        return finds.take().compactMap { find in
            names[find.place].map {
                .cooldown(
                    of: Self.object($0, find.model), until: engineTime(find.until), isThrottle: find.isThrottle)
            }
        }
    }

    func hear(_ change: NewsBoard.Change, _ left: (Int64) -> Duration) async {
        guard case .coolDown(let object, let until, let isThrottle) = change, left(until) > .zero else { return }
        let parts = object.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        guard let place = names().first(where: { $0.value == parts[0] })?.key else { return }
        await router.hear(
            left(until), isThrottle: isThrottle, of: place, model: parts.count == 2 ? String(parts[1]) : nil)
    }

    /// An upstream, or a model of it. No id of a model has a tab.
    private static func object(_ name: String, _ model: String?) -> String {
        model.map { "\(name)\t\($0)" } ?? name
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
