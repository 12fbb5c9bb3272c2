import ProxyCluster
import ServiceLifecycle

/// What keeps an instance one among others, put together.
struct ClusterServices {
    let all: [any Service]

    /// Joins the others with what has been restored, before the first request.
    ///
    /// - Returns: nil where this instance is alone.
    init?(_ settings: Settings, state: ProcessState, keeper: GenerationKeeper) {
        guard let sharing = state.sharing else { return nil }
        let keys = SharedKeys(
            managed: state.managedKeys, news: sharing.keys, ledger: state.ledger, logger: state.logger)
        let responses = SharedResponses(sharing.documents, state)
        state.responses.join(responses.archive)
        state.makers.join(responses.archive)
        if let secret = settings.shared.secret { state.seals.take(secret) }
        let names = SharedNames()
        let upstreams = SharedUpstreams(
            router: state.router, finds: sharing.finds, names: { names.names(of: keeper.present?.members ?? []) },
            refuse: { model, place in keeper.present?.directory.hearRefusal(of: model, at: place) })
        let name = "\(OwnHost.name):\(settings.server.port)"
        let own = OwnInstance(name: name, startedAt: state.time.now()) {
            guard let health = keeper.present?.health else { return ("starting", 0) }
            let summary = await health.summary()
            let status =
                state.drain.isDraining
                ? HealthRoute.Status.draining : .init(healthy: summary.healthy, total: summary.total)
            return (status.rawValue, summary.inFlight)
        }
        state.cluster.update {
            $0.isOn = true
            $0.instance = sharing.instance
        }
        all = [
            keys, sharing.documents,
            ClusterKeeper(
                engine: sharing.engine, keys: sharing.exchange, instance: sharing.instance,
                leastInstances: settings.shared.instances, limits: upstreams, news: [upstreams, keys, responses, own],
                meters: sharing.meters, bell: sharing.bell, status: state.cluster, time: state.time,
                random: { .random(in: 0..<1) }, logger: state.logger),
        ]
    }
}

extension SharedResponses {
    init(_ documents: SharedDocuments, _ state: ProcessState) {
        self.init(documents: documents, store: state.responses, makers: state.makers, time: state.time)
    }
}
