import ProxyRouting

/// What the accounts of OCI have listed, taken together.
struct OfferedModels {
    /// Ids and OCIDs that somebody has listed, and who has.
    private(set) var upstreams: [String: UpstreamSet] = [:]
    /// What each id can be asked for.
    private(set) var purposes: [String: Set<ModelSummary.Purpose>] = [:]
    /// The id behind a listed OCID.
    private(set) var idOfOCID: [String: String] = [:]
    /// When each id was made, at the earliest: seconds since 1970.
    private(set) var created: [String: Int] = [:]
    /// Until when each id is served on demand by somebody, as far as that is told: seconds since 1970. Those that are past are among them.
    private(set) var retires: [String: Int64] = [:]

    /// - Parameters:
    ///   - accounts: in the router's order.
    ///   - now: seconds since 1970, for what is retired.
    init(_ accounts: [ModelCatalog.Account], at now: Int64) {
        for (index, account) in accounts.enumerated() where account.provider == nil {
            for model in account.models ?? [] { add(model, at: index, now) }
        }
    }

    private mutating func add(_ model: ModelSummary, at index: Int, _ now: Int64) {
        if model.isBase, let time = model.retired.map(Int64.init) {
            retires[model.displayName] = max(retires[model.displayName] ?? time, time)
        }
        let served = ModelSummary.Purpose.allCases.filter { model.serves($0, at: now) }
        guard !served.isEmpty else { return }
        for id in [model.displayName, model.ocid] where !id.isEmpty {
            upstreams[id, default: UpstreamSet()].insert(index)
        }
        idOfOCID[model.ocid] = model.displayName
        if let time = model.created { created[model.displayName] = min(created[model.displayName] ?? time, time) }
        purposes[model.displayName, default: []].formUnion(served)
    }

    /// Whether a model can be asked for that. Of what nobody lists it is not known what it can do: chats, most likely.
    func suits(_ target: ModelCatalog.Target, _ purpose: ModelSummary.Purpose) -> Bool {
        let known = purposes[target.modelID]
        return known?.contains(purpose) == true || purpose == .chat && known == nil
    }
}
