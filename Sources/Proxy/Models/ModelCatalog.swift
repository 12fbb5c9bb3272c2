import ProxyRouting

/// Which names clients may use, what each means at OCI, and which account serves it. It never changes: it is
/// made anew out of what the accounts list. A class, as every request looks into it, and a copy would take a reference to each of its parts.
final class ModelCatalog: PricedNames {
    /// A model as OCI is asked for it.
    struct Target: Equatable, Sendable {
        /// What the upstream call names: a model's id or OCID, or a dedicated endpoint's OCID.
        var serving: ServingMode
        /// The id that decides about dialect and quirks; for an endpoint its OCID, since its base model is not known.
        var modelID: String
        /// The upstreams that may be asked for it, by their place in the router's list.
        var accepts: UpstreamSet

        init(serving: ServingMode, modelID: String? = nil, accepts: UpstreamSet = UpstreamSet()) {
            self.serving = serving
            self.modelID = modelID ?? serving.id
            self.accepts = accepts
        }
    }

    /// An entry of the model list.
    struct Entry: Equatable, Sendable {
        let name: String
        var target: Target
        /// Seconds since 1970, as OCI says; nil when nobody has listed it.
        var created: Int?
        /// Nil for a model of OCI.
        var provider: String?
        /// What the list says of it besides, as members of an object with a comma before each.
        var details: [UInt8] = []
        /// What an OCI model is for, as OCI says, when that is no chat.
        var purposes: [ModelSummary.Purpose] = []
        /// Whose it is, as a provider's list says.
        var vendor: String?
        /// As a provider's list says, else the provider; for OCI the vendor, as the id begins.
        var owner: String {
            if let owner = vendor ?? provider { return owner }
            return switch target.serving {
            case .onDemand(let id):
                id.hasPrefix("ocid1.")
                    ? "oci" : String(Substring(target.modelID.utf8.prefix { $0 != UInt8(ascii: ".") }))
            case .dedicated: "oci"
            }
        }
    }

    /// One account or provider, as the catalogue sees it.
    struct Account: Equatable, Sendable {
        /// Empty for a provider.
        var region = ""
        /// What it has listed; nil as long as it has not.
        var models: [ModelSummary]?
        /// How its chats are sent.
        var form = ChatForm.oci
        /// The APIs in which requests pass to it as they are.
        var dialects: Set<ProviderDialect> = []
        /// Of the upstream.
        var id = ""
        /// Where it keeps what clients refer to later.
        var home = ""
        /// What stands before its models; nil for an account of OCI.
        var provider: String?
        /// It belongs to an older configuration: its place is kept, and nothing else.
        var isRetired = false
        /// Its place in the file, which is not the one in the router's list after a reload.
        var rank = 0

        var isOfOCI: Bool { provider == nil && !isRetired }

        /// Whether a call can name this id at all. Where OCI speaks OpenAI's form it serves neither Cohere's nor Google's models nor endpoints (OCI wire
        /// notes, 7), and does not know OCIDs.
        func canName(_ id: String) -> Bool {
            isOfOCI && (form == .oci || !["ocid1.", "cohere.", "google."].contains { id.lowercased().hasPrefix($0) })
        }
    }

    /// What can be chatted with: custom aliases in the order of the config file, then what was discovered, by name. A model that every
    /// account has refused is not among them, though its name still works.
    var entries: [Entry] { refusals.areNone ? listed : listed.filter { !isRefused($0) }.map(withoutRefusing) }

    /// The embedding and rerank models of OCI, by name.
    var otherEntries: [Entry] {
        refusals.areNone ? listedOthers : listedOthers.filter { !isRefused($0) }.map(withoutRefusing)
    }

    /// The same, whoever has refused something.
    private let listed: [Entry]
    private let listedOthers: [Entry]
    private let refusals: ModelRefusals
    /// What the aliases stand for.
    private let aliased: Set<String>
    /// The names of what is there for each purpose, in order: for errors only, but then they are needed at once.
    private let namesByPurpose: [ModelSummary.Purpose: [String]]
    private let byName: [String: Entry]
    /// What any name stands for that nobody knows.
    private let wildcard: String?
    /// Discovered embedding and rerank models: usable, but no chat models.
    private let others: [String: Entry]
    private let accounts: [Account]
    /// Ids and OCIDs that somebody has listed, and who has.
    private let offers: [String: UpstreamSet]
    /// What each id can be asked for, as somebody has listed it.
    private let purposes: [String: Set<ModelSummary.Purpose>]
    /// The id behind a listed OCID.
    private let idOfOCID: [String: String]
    private let providers: ProviderModels
    private let namesWithPrice: Set<String>
    private let names: Names
    private let successors: Successors
    /// Until when models are there, as lists say, by their ids: seconds since 1970.
    private let retires: [String: Int64]

    /// What names look like in a file that has providers.
    struct Names: Sendable {
        /// What stands before the models of OCI, with its slash; empty when they go by their names alone.
        var ociPrefix = ""
        var filter = ModelFilter()
    }

    /// - Parameters:
    ///   - accounts: in the router's order.
    ///   - refusals: are asked again with each request.
    ///   - now: seconds since 1970, for what is retired.
    init(
        aliases: [(name: String, target: String)], accounts: [Account] = [], refusals: ModelRefusals = ModelRefusals(),
        names: Names = Names(), successors: Successors = .none,
        at now: Int64 = 0
    ) {
        self.successors = successors
        wildcard = aliases.last { $0.name == "*" }?.target
        let aliases = aliases.filter { $0.name != "*" }
        self.accounts = accounts
        self.refusals = refusals
        aliased = Set(aliases.map(\.target))
        self.names = names
        let providers = ProviderModels(accounts, filter: names.filter)
        self.providers = providers
        let offered = OfferedModels(accounts, at: now)
        offers = offered.upstreams
        purposes = offered.purposes
        idOfOCID = offered.idOfOCID
        retires = offered.retires

        let entries = CatalogEntries(offered: offered, providers: providers, accounts: accounts, names: names)
        let custom = aliases.map { entries.entry(of: $0) }
        var byName = Dictionary(custom.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        let found = entries.discovered(isChat: true).filter { entry in byName[entry.name] == nil }
        for entry in found { byName[entry.name] = entry }
        let listed =
            (custom + found.sorted { $0.name < $1.name }).filter {
                $0.provider != nil || accounts.isEmpty || !$0.target.accepts.isEmpty
            } + providers.entries
        self.listed = listed
        self.byName = byName
        let others = Dictionary(
            entries.discovered(isChat: false).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.others = others
        namesWithPrice = Set(byName.keys).union(others.keys).union(providers.entries.map(\.name))
        listedOthers = others.values.filter { byName[$0.name] == nil && !$0.target.accepts.isEmpty }.sorted {
            $0.name < $1.name
        }
        namesByPurpose = Dictionary(
            uniqueKeysWithValues: ModelSummary.Purpose.allCases.map { purpose in
                let suitable = (listed + others.values).filter { offered.suits($0.target, purpose) }
                return (purpose, Set(suitable.map(\.name)).sorted())
            })
    }

    /// The entry of that name.
    subscript(name: String) -> Entry? { (byName[name] ?? providers[name] ?? others[name]).map(withoutRefusing) }

    private func withoutRefusing(_ entry: Entry) -> Entry {
        var entry = entry
        entry.target.accepts = refusals.willing(entry.target.accepts, for: entry.target.serving.id)
        return entry
    }

    private func isRefused(_ entry: Entry) -> Bool {
        refusals.isRefused(entry.target.serving.id, byAllOf: entry.target.accepts)
    }

    /// Takes note that an upstream has refused a model, if that is one which it has listed or the configuration names: what clients make up is not
    /// worth remembering.
    ///
    /// - Returns: whether it is.
    @discardableResult
    func refuse(_ modelID: String, at upstream: Int) -> Bool {
        guard accounts.indices.contains(upstream) else { return false }
        let isKnown =
            if let provider = accounts[upstream].provider { providers["\(provider)/\(modelID)"] != nil } else {
                offers[modelID] != nil || aliased.contains(modelID)
            }
        if isKnown { refusals.note(modelID, at: upstream) }
        return isKnown
    }

    /// The names of the models that an account serves.
    func names(at upstream: Int) -> [String] {
        entries.filter { $0.target.accepts.contains(upstream) }.map(\.name)
    }

    /// The forms in which the upstreams of a target take chats.
    func forms(of target: Target) -> Set<ChatForm> { Set(target.accepts.map { accounts[$0].form }) }

    /// Whether any upstream speaks that API itself.
    func speaks(_ dialect: ProviderDialect) -> Bool { accounts.contains { $0.dialects.contains(dialect) } }

    /// The upstreams of a target that speak that API themselves.
    func speaking(_ dialect: ProviderDialect, of target: Target) -> UpstreamSet {
        UpstreamSet(
            target.accepts.filter {
                accounts[$0].dialects.contains(dialect)
                    && (accounts[$0].provider != nil || OCIResponses.serve(target.modelID))
            })
    }

    /// Those of them that take chats in a form.
    func speaking(_ dialect: ProviderDialect, of target: Target, in form: ChatForm) -> UpstreamSet {
        UpstreamSet(speaking(dialect, of: target).filter { accounts[$0].form == form })
    }

    /// The home of an upstream of this configuration.
    func home(of upstream: String) -> String? { accounts.first { $0.id == upstream }?.home }

    /// The upstreams that know what is kept at a home.
    func upstreams(at home: String) -> UpstreamSet {
        UpstreamSet(accounts.indices.filter { accounts[$0].home == home && !accounts[$0].isRetired })
    }

    /// Those of them that are among others.
    func upstreams(at home: String, among upstreams: UpstreamSet) -> UpstreamSet {
        UpstreamSet(upstreams.filter { accounts[$0].home == home })
    }

    /// The upstreams of a target that take chats in that form.
    func taking(_ form: ChatForm, of target: Target) -> UpstreamSet {
        UpstreamSet(target.accepts.filter { accounts[$0].form == form })
    }

    /// Whether an upstream of a target takes chats in that form.
    func hasForm(_ form: ChatForm, in target: Target) -> Bool { target.accepts.contains { accounts[$0].form == form } }

    /// What `name` stands for: an alias, a discovered name, or a full OCI id or OCID, which always works.
    ///
    /// - Throws: 404 `model_not_found`, with up to three names that are near; or when no account can be asked for it.
    func resolve(_ name: String) throws(Failure) -> Target {
        guard let target = target(of: name) else {
            throw .unknownModel(name, near: NearestName.several(to: name, among: listed.lazy.map(\.name), limit: 3))
        }
        guard accounts.isEmpty || !target.accepts.isEmpty else { throw .unservedModel(name) }
        return target
    }

    /// The same where the configuration says what stands for unknown names: chats with them work.
    func resolveWithWildcard(_ name: String, by caller: Caller?) throws(Failure) -> Target {
        let own = target(of: name)
        let target: Target
        if own == nil, ModelName.isShortEnough(name), let known = wildcard.flatMap({ self.target(of: $0) }) {
            target = known
        } else {
            target = try resolve(name)
        }
        try admit(caller, to: target, asked: name, isMadeUp: own == nil)
        return target
    }

    /// The same for one purpose and for whoever asks. Every request of a client passes here, whichever its endpoint and dialect.
    ///
    /// - Throws: also 400 `unsupported_model` when the model is listed, but for other things only (what nobody lists may be good for
    ///   anything), and 403 when the caller may not use it.
    func resolve(_ name: String, for purpose: ModelSummary.Purpose, by caller: Caller?) throws(Failure) -> Target {
        let own = target(of: name)
        guard
            var target = own ?? (purpose == .chat ? wildcard : nil).flatMap({ known in target(of: known) })
        else {
            throw .unknownModel(
                name, near: NearestName.several(to: name, among: namesByPurpose[purpose] ?? [], limit: 3))
        }
        try admit(caller, to: target, asked: name, isMadeUp: own == nil)
        // What a provider's model can do, the provider knows.
        guard !isOfProvider(target) else { return target }
        // Only OCI's own form has the other calls.
        if purpose != .chat { target.accepts = UpstreamSet(target.accepts.filter { accounts[$0].form == .oci }) }
        guard accounts.isEmpty || !target.accepts.isEmpty else { throw .unservedModel(name) }
        guard purposes[target.modelID] == nil || lists(target, for: purpose) else {
            throw .unsupportedModel(name, for: purpose, others: namesByPurpose[purpose] ?? [])
        }
        return target
    }

    /// Refuses a caller who may not use a model. Under a made-up name, what stands for it counts alone.
    private func admit(_ caller: Caller?, to target: Target, asked name: String, isMadeUp: Bool) throws(Failure) {
        guard let caller, caller.isBoundToModels else { return }
        guard caller.mayUse(anyOf: names(of: target, asked: isMadeUp ? nil : name)) else {
            throw .forbiddenModel(name, to: caller)
        }
    }

    /// The name by which a price may be given for what a request asks for. What a client makes up, where anything stands for it, names none: then the model's own id
    /// decides.
    func nameWithPrice(_ name: String) -> String? {
        namesWithPrice.contains(name) ? name : nil
    }

    /// Those that a caller may use.
    func entries(for caller: Caller?, among entries: [Entry]) -> [Entry] {
        guard let caller, caller.isBoundToModels else { return entries }
        return entries.filter { caller.mayUse(anyOf: names(of: $0.target, asked: $0.name)) }
    }

    /// What a model is known as: as it was asked for, and by its id with and without its provider.
    private func names(of target: Target, asked: String?) -> Set<String> {
        var names: Set = [target.serving.id, target.modelID]
        if let provider = provider(of: target) { names = ["\(provider)/\(target.serving.id)"] }
        if let asked { names.insert(asked) }
        return names
    }

    /// The provider that has the model; nil for one of OCI's.
    func provider(of target: Target) -> String? {
        for index in target.accepts { if let name = accounts[index].provider { return name } }
        return nil
    }

    private func isOfProvider(_ target: Target) -> Bool { target.accepts.contains { accounts[$0].provider != nil } }

    /// Whether an account lists the model for that.
    func lists(_ target: Target, for purpose: ModelSummary.Purpose) -> Bool {
        purposes[target.modelID]?.contains(purpose) == true
    }

    private func target(of name: String) -> Target? {
        // Before anything looks at it: all below may be as long as it is.
        guard ModelName.isShortEnough(name) else { return nil }
        let name = successors.isEmpty ? name : inService(name)
        guard var target = offered(name) else { return nil }
        target.accepts = refusals.willing(target.accepts, for: target.serving.id)
        return target
    }

    /// The model that answers in the place of one which has retired; nil where the name itself is in service.
    func successor(answeringFor name: String) -> String? {
        guard !successors.isEmpty, ModelName.isShortEnough(name) else { return nil }
        let answering = inService(name)
        return answering == name ? nil : answering
    }

    /// Takes note where another model answers in the place of one that has retired.
    func noteSuccessor(of name: String, in trace: RequestTrace) {
        if let successor = successor(answeringFor: name) { trace.append(.succeeded(by: successor)) }
    }

    /// The name itself, or that of the model which has taken over from it (`[SUCCESSORS]`).
    private func inService(_ name: String) -> String {
        var name = name
        // A circle is refused by the reader of the file; this ends all the same.
        for _ in 0..<8 {
            guard let next = successors[name] else { return name }
            if let target = offered(name), !successors.isRetired(target.modelID, listed: retires[target.modelID]),
                !refusals.isRefused(target.serving.id, byAllOf: target.accepts)
            {
                return name
            }
            name = next
        }
        return name
    }

    /// When a model goes, and who takes over then.
    struct Retirement: Equatable, Sendable {
        /// Seconds since 1970; nil when only words are known.
        var at: Int64?
        /// As the upstream has said it.
        var words: String?
        var successor: String?
    }

    /// The models whose day is known, by the names that clients use.
    func retiring(_ notices: ModelRetirements) -> [(name: String, at: Int64, successor: String?)] {
        (entries + otherEntries).compactMap { entry in
            guard let retirement = retirement(of: entry, notices), let at = retirement.at else { return nil }
            return (entry.name, at, retirement.successor)
        }
    }

    /// Nil when nothing is known.
    func retirement(of entry: Entry, _ notices: ModelRetirements) -> Retirement? {
        let successor = successors[entry.name] ?? successors[entry.target.modelID]
        // Where that answers already, the entry is its own: what is known of the one that has gone is that it has.
        if self.successor(answeringFor: entry.name) != nil { return Retirement(successor: successor) }
        let notice = notices[entry.target.modelID]
        guard entry.provider == nil, let at = retires[entry.target.modelID] ?? notice?.at else {
            guard notice != nil || successor != nil else { return nil }
            return Retirement(words: notice?.words, successor: successor)
        }
        return Retirement(at: at, words: notice?.words, successor: successor)
    }

    /// What a name stands for, whoever has refused it.
    private func offered(_ name: String) -> Target? {
        if let entry = byName[name] ?? others[name] { return entry.target }
        if let target = providers.target(of: name) { return target }
        // A full id needs no prefix, but may have it.
        let id =
            name.utf8.starts(with: names.ociPrefix.utf8)
            ? String(Substring(name.utf8.dropFirst(names.ociPrefix.utf8.count))) : name
        guard offers[id] != nil || Self.isFullID(id), accounts.isEmpty || accounts.contains(where: \.isOfOCI),
            names.filter.admits(names.ociPrefix + id)
        else { return nil }
        return Target(
            serving: ServingMode(id: id), modelID: idOfOCID[id],
            accepts: CandidateUpstreams(accounts: accounts, offers: offers).offering(id))
    }

    /// `vendor.model` of a vendor that OCI hosts, or the OCID of a model or an endpoint.
    private static func isFullID(_ name: String) -> Bool {
        if name.hasPrefix("ocid1.generativeaimodel.") || name.hasPrefix("ocid1.generativeaiendpoint.") { return true }
        return ["xai.", "meta.", "google.", "openai.", "cohere."].contains {
            name.utf8.count > $0.utf8.count && name.utf8.starts(with: $0.utf8)
        }
    }
}

extension Failure {
    static func unsupportedModel(_ name: String, for purpose: ModelSummary.Purpose, others: [String]) -> Failure {
        let what =
            switch purpose {
            case .chat: "chats"
            case .embeddings: "embeddings"
            case .rerank: "reranking"
            }
        let hint =
            others.isEmpty
            ? "No known model does."
            : "Models that do: \(others.prefix(10).map { "'\($0)'" }.joined(separator: ", "))."
        return .invalidRequest(
            "The model '\(name.quotable)' does not support \(what). \(hint)", field: "model", as: .unsupportedModel)
    }

    static func forbiddenModel(_ name: String, to caller: Caller) -> Failure {
        Failure(
            .forbidden(.model),
            "The API key \(caller.name.quotable) may not use the model '\(name.quotable)'. GET /v1/models lists the models that it may use. "
                + caller.mend("models", "-models LIST"), field: "model")
    }

    static func unservedModel(_ name: String) -> Failure {
        Failure(
            .notFound(.model),
            "No account can serve '\(name.quotable)': accounts with auth = bearer serve chats only, without Cohere's models, Google's models and "
                + "dedicated endpoints. Choose another model, or add an account that signs its requests.",
            field: "model")
    }

    static func unknownModel(_ name: String, near: [String]) -> Failure {
        let hint =
            switch near.count {
            case 0: "GET /v1/models lists the available models."
            default:
                "Did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))? GET /v1/models lists the available models."
            }
        return Failure(
            .notFound(.model), "The model '\(name.quotable)' does not exist. \(hint)", field: "model")
    }
}
