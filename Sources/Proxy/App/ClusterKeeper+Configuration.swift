import ProxyCluster

extension ClusterKeeper {
    /// As the configuration says at the start; nil where this instance is alone.
    init?(
        _ configuration: LoadedConfiguration, state: ProcessState, keeper: GenerationKeeper, engine: EngineMaker?
    ) {
        let settings = configuration.settings.shared
        guard let address = settings.address, let engine, let keys = ExchangeKeys(cluster: settings.cluster) else {
            return nil
        }
        let instance = RandomName().hex
        state.cluster.update { $0.isOn = true }
        self.init(
            engine: engine(address, "ociai-proxy-\(instance)", configuration.settings.caFile), keys: keys,
            instance: instance, leastInstances: settings.instances,
            limits: SharedUpstreams(
                router: state.router, finds: state.finds,
                names: {
                    var names: [Int: String] = [:]
                    for member in keeper.present?.members ?? [] {
                        names[member.upstream.index] = member.identity.sharedName(member.upstream.id)
                    }
                    return names
                }), meters: state.accounts.shared, status: state.cluster, time: state.time, random: { .random(in: 0..<1) }, logger: state.logger)
    }
}
