import ProxyCluster

/// What a process has in common with other instances, as far as requests have to do with it. None of it waits for the engine, but for who asks
/// for what another instance has kept.
struct Sharing: Sendable {
    /// Made up anew by each process.
    let instance: String
    let engine: any Engine
    let exchange: ExchangeKeys
    let bell: ExchangeBell
    let meters: SharedMeters
    let finds: RoutingFinds
    let keys: KeyNews
    let documents: SharedDocuments

    init(instance: String, exchange: ExchangeKeys, engine: any Engine, time: TimeSource) {
        self.instance = instance
        self.engine = engine
        self.exchange = exchange
        bell = ExchangeBell()
        meters = SharedMeters(bell)
        finds = RoutingFinds(bell)
        keys = KeyNews(bell)
        documents = SharedDocuments(engine, prefix: exchange.documentPrefix, bell, time: time)
    }

    /// As the configuration says at the start; nil where this instance is alone.
    init?(_ settings: Settings, engine: EngineMaker?, time: TimeSource) {
        guard let address = settings.shared.address, let engine,
            let exchange = ExchangeKeys(cluster: settings.shared.cluster)
        else { return nil }
        let instance = RandomName().hex
        self.init(
            instance: instance, exchange: exchange,
            engine: engine(address, "ociai-proxy-\(instance)", settings.caFile), time: time)
    }
}

extension SharedStateSettings {
    /// What instances seal with that have no key of the client's to do it with: drawn from the engine's password, which all of them have and nobody
    /// else. Nil without one.
    var secret: [UInt8]? {
        guard let password = address?.password?.reveal() else { return nil }
        return SHA256.digest(of: Array("ociai-proxy cluster 1\n\(cluster)\n\(password)".utf8))
    }
}
