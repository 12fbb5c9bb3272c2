import Logging
import ProxyAccounting
import ProxyCluster
import ServiceLifecycle

/// The keys that administrators make: what one instance is told holds at all, and outlives the engine where instances have ledgers.
struct SharedKeys: SharedNews, Service {
    let managed: ManagedKeys
    let news: KeyNews
    let ledger: (any Ledger)?
    let logger: Logger
    private let heard: AsyncStream<(ManagedKey, action: String)>
    private let toWrite: AsyncStream<(ManagedKey, action: String)>.Continuation

    init(managed: ManagedKeys, news: KeyNews, ledger: (any Ledger)?, logger: Logger) {
        self.managed = managed
        self.news = news
        self.ledger = ledger
        self.logger = logger
        (heard, toWrite) = AsyncStream.makeStream()
    }

    func told(_ clock: EngineClock) -> [News] {
        news.take(at: clock.time).map { .key(News.KeyRecord($0.key, changed: $0.changed)) }
    }

    func hear(_ change: NewsBoard.Change, _ clock: EngineClock) {
        guard case .key(let record) = change else { return }
        guard let key = ManagedKey(name: record.name, record: record.record) else {
            logger.warning(
                "Another instance has changed a key in a way that this version does not know; update this one",
                metadata: ["key": "\(record.name.quotable)"])
            return
        }
        if let own = managed[key.name] {
            let known = News.KeyRecord(own, changed: news[key.name] ?? own.created * 1_000)
            guard known.rank < record.rank else {
                // The other one knows an older state of it, as after a restart of the engine.
                if known.rank != record.rank { news.add(own, changedAt: known.changed) }
                return
            }
        }
        news[key.name] = record.changed
        let action = key.revoked != nil ? "revoke" : managed[key.name] == nil ? "create" : "rotate"
        managed.hear(key)
        toWrite.yield((key, action))
    }

    /// Writes down what has been heard, until the service group stops it: the disk keeps nobody waiting.
    func run() async {
        await cancelWhenGracefulShutdown {
            for await (key, action) in heard {
                do {
                    try await ledger?.save(key, action: action, by: "another instance")
                } catch {
                    logger.warning(
                        "A key of another instance works here, but could not be written down: \(error)",
                        metadata: ["key": "\(key.name.quotable)"])
                }
            }
        }
    }
}

extension News.KeyRecord {
    init(_ key: ManagedKey, changed: Int64) {
        self.init(
            name: key.name, created: key.created * 1_000, changed: changed, isRevoked: key.revoked != nil,
            record: key.record)
    }
}
