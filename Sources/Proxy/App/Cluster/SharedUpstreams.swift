import ProxyCluster
import ProxyRouting

/// Accounts and providers, by what they are in all instances: their permits, and what is found out of them.
struct SharedUpstreams: SharedLimits, SharedNews {
    let router: Router
    let finds: RoutingFinds
    /// The names of those that serve, by their places.
    let names: @Sendable () -> [Int: String]
    /// An upstream has refused a model, by its id, as retired or unknown.
    let refuse: @Sendable (_ model: String, _ place: Int) -> Void

    // MARK: Permits

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

    // MARK: News

    func told(_ clock: EngineClock) -> [News] {
        let finds = finds.take()
        guard !finds.isEmpty else { return [] }
        let names = names()
        return finds.compactMap { find in
            guard let name = names[find.place] else { return nil }
            let object = Self.object(name, find.model)
            return switch find.kind {
            case .cooldown(let until, let isThrottle):
                .cooldown(of: object, until: clock.time(of: until), isThrottle: isThrottle)
            case .opened(let until): .breakerOpened(of: object, until: clock.time(of: until))
            case .limit(let limit): .learntLimit(of: object, limit: limit, at: clock.time)
            case .refusal: .retired(model: object, at: clock.time)
            }
        }
    }

    func hear(_ change: NewsBoard.Change, _ clock: EngineClock) async {
        switch change {
        case .coolDown(let object, let until, let isThrottle):
            guard let (place, model) = find(object), clock.left(until: until) > .zero else { return }
            await router.hear(clock.left(until: until), isThrottle: isThrottle, of: place, model: model)
        case .probe(let object):
            guard let (place, model) = find(object) else { return }
            await router.hearOfFailure(of: place, model: model)
        case .limit(let object, let limit?):
            guard case (let place, let model?)? = find(object) else { return }
            await router.hear(limitOfAll: limit, of: place, model: model)
        case .retired(let object, _):
            guard case (let place, let model?)? = find(object) else { return }
            refuse(model, place)
        case .limit(_, nil), .key, .erase: return
        }
    }

    /// An upstream, or a model of it. No id of a model has a tab.
    private static func object(_ name: String, _ model: String?) -> String {
        model.map { "\(name)\t\($0)" } ?? name
    }

    private func find(_ object: String) -> (place: Int, model: String?)? {
        let parts = object.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        guard let place = names().first(where: { $0.value == parts[0] })?.key else { return nil }
        return (place, parts.count == 2 ? String(parts[1]) : nil)
    }
}

extension SharedCapacity {
    init(_ lease: PermitLease) {
        self.init(share: lease.share, until: lease.until, safe: lease.safe, safeUntil: lease.safeUntil)
    }
}
