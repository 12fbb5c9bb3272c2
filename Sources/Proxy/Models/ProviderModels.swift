import ProxyRouting

/// The models of providers, each as `provider/model`: what the entries of one name have together, in the order of the file and
/// of the first list.
struct ProviderModels: Sendable {
    /// The entries of each provider, by their place in the router's list.
    private let pools: [String: [Int]]
    private let accounts: [ModelCatalog.Account]
    private let filter: ModelFilter
    let entries: [ModelCatalog.Entry]
    private let byName: [String: ModelCatalog.Entry]

    init(_ accounts: [ModelCatalog.Account], filter: ModelFilter) {
        self.accounts = accounts
        self.filter = filter
        var order: [String] = []
        var pools: [String: [Int]] = [:]
        let ranked = accounts.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        for (index, account) in ranked {
            guard let name = account.provider else { continue }
            if pools[name] == nil { order.append(name) }
            pools[name, default: []].append(index)
        }
        self.pools = pools
        var entries: [ModelCatalog.Entry] = []
        for pool in order {
            let members = pools[pool] ?? []
            let undiscovered = members.filter { accounts[$0].models == nil }
            var offers: [String: [Int]] = [:]
            var models: [ModelSummary] = []
            for index in members {
                for model in accounts[index].models ?? [] {
                    if offers[model.displayName] == nil { models.append(model) }
                    offers[model.displayName, default: []].append(index)
                }
            }
            for model in models {
                let name = "\(pool)/\(model.displayName)"
                guard ModelName.isShortEnough(name), filter.admits(name) else { continue }
                let offering = (offers[model.displayName] ?? []) + undiscovered
                entries.append(
                    ModelCatalog.Entry(
                        name: name, target: .init(ofProvider: model.displayName, accepts: offering),
                        created: model.created,
                        provider: pool, details: model.details, vendor: model.vendor))
            }
        }
        self.entries = entries
        byName = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The entry of that name, whoever has refused it. A model of a provider that has listed nothing yet may be asked for all the same.
    func target(of name: String) -> ModelCatalog.Target? {
        if let entry = byName[name] { return entry.target }
        guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")), let members = pools[String(name[..<slash])]
        else { return nil }
        let undiscovered = members.filter { accounts[$0].models == nil }
        let model = String(name[name.utf8.index(after: slash)...])
        guard !model.isEmpty, !undiscovered.isEmpty, filter.admits(name) else { return nil }
        return .init(ofProvider: model, accepts: undiscovered)
    }

    subscript(name: String) -> ModelCatalog.Entry? { byName[name] }
}

extension ModelCatalog.Target {
    /// A model by the provider's own name.
    init(ofProvider model: String, accepts: [Int]) {
        self.init(serving: .onDemand(modelID: model), modelID: model, accepts: UpstreamSet(accepts))
    }
}
