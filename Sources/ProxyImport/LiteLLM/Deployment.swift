/// One entry of `model_list` that the proxy can serve.
struct Deployment: Sendable {
    enum Upstream: Sendable, Equatable {
        /// - Parameter account: which of the identities.
        case oci(account: Int)
        /// - Parameter endpoint: which of the endpoints.
        case provider(endpoint: Int)
    }

    /// `model_name`: what clients call it.
    let name: String
    let nameMember: YAMLMember
    let modelMember: YAMLMember
    let upstream: Upstream
    /// As the upstream calls it; `*` for all that it has.
    let model: String
    /// `order`: the least is asked first.
    let order: Double
    let orderMember: YAMLMember?

    var isWildcard: Bool { model.contains("*") }
}

/// Where a provider is, and with which key.
struct ProviderEndpoint: Sendable, Hashable {
    /// As its vendor is called, or its host.
    let label: String
    /// As the configuration writes them.
    let base: String
    let token: String?
}

/// What is asked of an endpoint.
struct ProviderUse: Sendable {
    let endpoint: ProviderEndpoint
    let line: Int
    private(set) var models: [String] = []
    private var known: Set<String> = []
    /// It serves whatever it has.
    var servesAll = false
    /// What clients put before the slash of its models, where the file says.
    var prefix: String?
    var dialects: [String] = []
    /// Further settings.
    private(set) var settings: [ConfigurationPlan.Entry] = []

    init(_ endpoint: ProviderEndpoint, line: Int) {
        self.endpoint = endpoint
        self.line = line
    }

    mutating func add(_ model: String) {
        if known.insert(model).inserted { models.append(model) }
    }

    /// - Returns: false when it has another value already.
    mutating func set(_ key: String, _ value: String) -> Bool {
        if let other = settings.first(where: { $0.key == key }) { return other.value == value }
        settings.append(.init(key, value))
        return true
    }
}

/// An account of OCI, as the configuration writes it.
struct OCIIdentity: Sendable, Hashable {
    var user: String
    var fingerprint: String
    var tenancy: String
    var region: String
    var compartment: String
    /// The path of the key; nil for one whose text stands elsewhere.
    var keyFile: String?
    /// Where the text of the key is.
    var keyText: String?
    var endpoint: String?
    /// In place of all that: a profile of `~/.oci/config`.
    var profile: String?
}

/// What is asked of an account.
struct AccountUse: Sendable {
    let identity: OCIIdentity
    let line: Int
    var weight: Int?
    var maxConcurrency: Int?
}
