import ProxyRouting
import Synchronization

extension ModelCatalog.Account {
    fileprivate static let retired = ModelCatalog.Account(isRetired: true)

    /// Before it has listed anything.
    init(_ backend: any Backend) {
        self.init(
            region: backend.region ?? "", form: backend.chatForm, dialects: backend.dialects,
            id: backend.id, home: backend.home, provider: (backend as? Provider)?.name)
    }
}

/// The catalogue of the moment. Read by every request, changed by discoveries, which are rare; what is refused is noted beside it.
final class ModelDirectory: Sendable {
    /// Models of one upstream that are listed; none has so many.
    static let mostModels = 10_000

    private let aliases: [(name: String, target: String)]
    private let names: ModelCatalog.Names
    private let successors: Successors
    private let time: TimeSource
    private let refusals: ModelRefusals
    /// Where other instances hear of refusals; nil where there are none.
    private let finds: RoutingFinds?
    private let accounts: Mutex<[ModelCatalog.Account]>
    /// Every request takes this lock, so nothing is done under it that takes longer than a copy of a reference.
    private let current: Mutex<ModelCatalog>
    /// Held while a catalogue is made: one after the other. No request takes it.
    private let updates = Mutex(())

    /// - Parameter accounts: in the router's order, before they have listed anything.
    init(
        aliases: [(name: String, target: String)], accounts: [ModelCatalog.Account],
        names: ModelCatalog.Names = .init(), successors: Successors = .none,
        refusals: ModelRefusals = ModelRefusals(), finds: RoutingFinds? = nil, time: TimeSource
    ) {
        self.finds = finds
        self.aliases = aliases
        self.names = names
        self.successors = successors
        self.refusals = refusals
        self.time = time
        self.accounts = Mutex(accounts)
        current = Mutex(
            ModelCatalog(
                aliases: aliases, accounts: accounts, refusals: refusals, names: names, successors: successors,
                at: time.wallClock()))
    }

    /// - Parameters:
    ///   - upstreams: whose models it holds, in the order of the file.
    ///   - places: of the router's list, in which upstreams of older configurations stand as well.
    ///   - before: whose lists are taken over, for those who are in both.
    convenience init(
        aliases: [(name: String, target: String)], upstreams: [Upstream], places: Int, after before: ModelDirectory?,
        names: ModelCatalog.Names, successors: Successors = .none, finds: RoutingFinds? = nil,
        time: TimeSource
    ) {
        var accounts = Array(repeating: ModelCatalog.Account.retired, count: places)
        let known = before?.accounts.withLock { $0 } ?? []
        for (rank, upstream) in upstreams.enumerated() {
            let place = upstream.index
            accounts[place] =
                place < known.count && !known[place].isRetired ? known[place] : ModelCatalog.Account(upstream.backend)
            accounts[place].rank = rank
        }
        let refusals = before.map {
            ModelRefusals(of: $0.refusals) { accounts.indices.contains($0) && !accounts[$0].isRetired }
        }
        self.init(
            aliases: aliases, accounts: accounts, names: names, successors: successors,
            refusals: refusals ?? ModelRefusals(), finds: finds, time: time)
    }

    var catalog: ModelCatalog { current.withLock { $0 } }

    /// Whether an account has listed its models since the start.
    func isDiscovered(_ upstream: Int) -> Bool { accounts.withLock { $0[upstream].models != nil } }

    /// Takes what accounts have listed, by their place in the router's list. What they refused before may be asked again.
    ///
    /// - Returns: the names that have come and those that have gone.
    func update(_ lists: [Int: [ModelSummary]]) -> (added: [String], removed: [String]) {
        updates.withLock { _ in
            let before = Set(catalog.entries.map(\.name))
            var accounts = accounts.withLock { $0 }
            for (index, models) in lists {
                accounts[index].models = Array(models.lazy.filter(\.isUsable).prefix(Self.mostModels))
            }
            let catalog = ModelCatalog(
                aliases: aliases, accounts: accounts, refusals: refusals, names: names, successors: successors,
                at: time.wallClock())
            self.accounts.withLock { $0 = accounts }
            refusals.forget(lists.keys)
            current.withLock { $0 = catalog }
            let after = Set(catalog.entries.map(\.name))
            return (after.subtracting(before).sorted(), before.subtracting(after).sorted())
        }
    }

    // MARK: Memory

    /// Which upstreams have refused which models, by their places in the router's list.
    var refusedModels: [String: UpstreamSet] { refusals.all }

    /// Goes on with what a process before has met. The first list of these upstreams changes nothing about it, the second does.
    func restoreRefusal(of modelID: String, at upstreams: UpstreamSet) { refusals.restore(modelID, at: upstreams) }

    /// An account has refused a model as retired or unknown: others are asked, until its next list says otherwise.
    func refuse(_ modelID: String, at upstream: Int) {
        if catalog.refuse(modelID, at: upstream) { finds?.add(.init(place: upstream, model: modelID, kind: .refusal)) }
    }

    /// Another instance has been told so.
    func hearRefusal(of modelID: String, at upstream: Int) {
        refusals.restore(modelID, at: UpstreamSet([upstream]))
    }
}

extension ModelSummary {
    /// Whether its names are such as a request may have.
    fileprivate var isUsable: Bool { ModelName.isShortEnough(displayName) && ModelName.isShortEnough(ocid) }
}
