/// Makes the entries of a catalogue: of aliases, and of what accounts have listed.
struct CatalogEntries {
    private let offered: OfferedModels
    private let providers: ProviderModels
    private let names: ModelCatalog.Names
    private let candidates: CandidateUpstreams

    init(
        offered: OfferedModels, providers: ProviderModels, accounts: [ModelCatalog.Account], names: ModelCatalog.Names
    ) {
        self.offered = offered
        self.providers = providers
        self.names = names
        candidates = CandidateUpstreams(accounts: accounts, offers: offered.upstreams)
    }

    /// The entry of an alias, also of one for a provider's model, which goes by its full name.
    func entry(of alias: (name: String, target: String)) -> ModelCatalog.Entry {
        guard let served = providers.target(of: alias.target) else {
            return ModelCatalog.Entry(
                name: alias.name, target: target(alias.target), created: offered.created[alias.target])
        }
        let listed = providers[alias.target]
        return ModelCatalog.Entry(
            name: alias.name, target: served, created: listed?.created,
            provider: String(Substring(alias.target.utf8.prefix { $0 != UInt8(ascii: "/") })),
            details: listed?.details ?? [], vendor: listed?.vendor)
    }

    /// Those that accounts have listed and the configuration's filter lets through: what can chat, or all others.
    func discovered(isChat: Bool) -> [ModelCatalog.Entry] {
        let ids = offered.purposes.filter { $0.value.contains(.chat) == isChat }.keys
        return FriendlyNames.assign(ids).compactMap { name, id in
            let name = names.ociPrefix + name
            guard ModelName.isShortEnough(name), names.filter.admits(name) else { return nil }
            var entry = ModelCatalog.Entry(name: name, target: target(id), created: offered.created[id])
            if !isChat { entry.purposes = ModelSummary.Purpose.allCases.filter { offers(entry.target, for: $0) } }
            return entry
        }
    }

    private func offers(_ target: ModelCatalog.Target, for purpose: ModelSummary.Purpose) -> Bool {
        offered.purposes[target.modelID]?.contains(purpose) == true
    }

    private func target(_ id: String) -> ModelCatalog.Target {
        ModelCatalog.Target(
            serving: ServingMode(id: id), modelID: offered.idOfOCID[id], accepts: candidates.offering(id))
    }
}
