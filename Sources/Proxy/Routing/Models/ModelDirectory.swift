import Synchronization

extension ModelCatalog.Account {
    fileprivate static let retired = ModelCatalog.Account(isRetired: true)

    /// Before it has listed anything.
    init(_ backend: any Backend) {
        self.init(region: backend.region ?? "", form: backend.chatForm, provider: (backend as? Provider)?.name)
    }
}

/// The catalogue of the moment. Read by every request, changed by discoveries and refusals, which are rare.
final class ModelDirectory: Sendable {
    private struct State {
        var accounts: [ModelCatalog.Account]
        var catalog: ModelCatalog
    }

    private let aliases: [(name: String, target: String)]
    private let names: ModelCatalog.Names
    private let time: TimeSource
    private let state: Mutex<State>

    /// - Parameter accounts: in the router's order, before they have listed anything.
    init(aliases: [(name: String, target: String)], accounts: [ModelCatalog.Account], names: ModelCatalog.Names = .init(), time: TimeSource) {
        self.aliases = aliases
        self.names = names
        self.time = time
        state = Mutex(State(accounts: accounts, catalog: ModelCatalog(aliases: aliases, accounts: accounts, names: names, at: time.wallClock())))
    }

    /// - Parameters:
    ///   - upstreams: whose models it holds, in the order of the file.
    ///   - places: of the router's list, in which upstreams of older configurations stand as well.
    ///   - before: whose lists are taken over, for those who are in both.
    convenience init(
        aliases: [(name: String, target: String)], upstreams: [Upstream], places: Int, after before: ModelDirectory?, names: ModelCatalog.Names,
        time: TimeSource
    ) {
        var accounts = Array(repeating: ModelCatalog.Account.retired, count: places)
        let known = before?.state.withLock { $0.accounts } ?? []
        for (rank, upstream) in upstreams.enumerated() {
            let place = upstream.index
            accounts[place] = place < known.count && !known[place].isRetired ? known[place] : ModelCatalog.Account(upstream.backend)
            accounts[place].rank = rank
        }
        self.init(aliases: aliases, accounts: accounts, names: names, time: time)
    }

    var catalog: ModelCatalog { state.withLock { $0.catalog } }

    /// Whether an account has listed its models since the start.
    func isDiscovered(_ upstream: Int) -> Bool { state.withLock { $0.accounts[upstream].models != nil } }

    /// Takes what accounts have listed, by their place in the router's list. What they refused before may be asked again.
    ///
    /// - Returns: the names that have come and those that have gone.
    func update(_ lists: [Int: [ModelSummary]]) -> (added: [String], removed: [String]) {
        change { accounts in
            for (index, models) in lists {
                accounts[index].models = models
                accounts[index].refused = []
            }
        }
    }

    /// An account has refused a model as retired or unknown: others are asked, until its next list says otherwise.
    func refuse(_ modelID: String, at upstream: Int) {
        let isKnown = state.withLock { $0.accounts[upstream].refused.contains(modelID) }
        guard !isKnown else { return }
        _ = change { accounts in
            // Clients choose ids; what they make up must not grow without bound.
            if accounts[upstream].refused.count >= 1000 { accounts[upstream].refused.removeAll() }
            accounts[upstream].refused.insert(modelID)
        }
    }

    private func change(_ body: (inout [ModelCatalog.Account]) -> Void) -> (added: [String], removed: [String]) {
        state.withLock { state in
            let before = Set(state.catalog.entries.map(\.name))
            body(&state.accounts)
            state.catalog = ModelCatalog(aliases: aliases, accounts: state.accounts, names: names, at: time.wallClock())
            let after = Set(state.catalog.entries.map(\.name))
            return (after.subtracting(before).sorted(), before.subtracting(after).sorted())
        }
    }
}
