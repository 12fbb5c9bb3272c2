/// One OpenAI-compatible endpoint: an entry of `providers`, or a section `[PROVIDER_n]`. Entries with one name are a pool.
package struct ProviderSettings: Sendable, Equatable {
    /// For statistics and logs, unique among providers and accounts: the name, or with a number in a pool (`zhipu-2`).
    package var id: String
    /// What stands before the first `/` of its models.
    package var name: String
    /// With the provider's path, such as `https://api.example/v1`.
    package var baseURL: BaseURL
    /// Nil for one that asks for none.
    package var token: Secret?
    /// Exactly what is served, by the provider's own names; nil: the provider is asked.
    package var models: [String]?
    /// The APIs that it speaks; requests in these pass as they are.
    package var dialects: Set<ProviderDialect>
    /// Of streams that it breaks off; nil: as for others.
    package var rescue: RescueMode?
    /// It is told the trace that a request belongs to.
    package var propagatesTrace: Bool
    /// Requests in flight at this entry.
    package var maxConcurrency: Int
    package var line: Int

    package init(
        id: String, name: String, baseURL: BaseURL, token: Secret? = nil, models: [String]? = nil,
        dialects: Set<ProviderDialect>? = nil, rescue: RescueMode? = nil, propagatesTrace: Bool = false,
        maxConcurrency: Int = 100, line: Int = 1
    ) {
        self.id = id
        self.name = name
        self.baseURL = baseURL
        self.token = token
        self.models = models
        self.dialects = dialects ?? ProviderDialect.known(at: baseURL.host)
        self.rescue = rescue
        self.propagatesTrace = propagatesTrace
        self.maxConcurrency = maxConcurrency
        self.line = line
    }
}

/// An API in which a provider can be asked.
package enum ProviderDialect: String, Sendable, CaseIterable {
    case chat, responses, messages, completions

    /// What is known of a host without being told.
    static func known(at host: String) -> Set<ProviderDialect> {
        let host = host.lowercased()
        return host == "anthropic.com" || host.hasSuffix(".anthropic.com") ? [.chat, .messages] : [.chat]
    }
}

extension ProviderSettings {
    /// What makes two entries the same.
    struct Endpoint: Hashable {
        let name: String
        let baseURL: BaseURL
        let token: Secret?
        let models: [String]?
        let dialects: Set<ProviderDialect>
        let propagatesTrace: Bool
    }

    var endpoint: Endpoint {
        Endpoint(
            name: name, baseURL: baseURL, token: token, models: models, dialects: dialects,
            propagatesTrace: propagatesTrace)
    }

    /// Gives each entry its id: the name when it is the only one of that name, else name-1, name-2, ... without those
    /// that are the name of another provider.
    static func assignIDs(_ providers: inout [ProviderSettings]) {
        let counts = Dictionary(providers.map { ($0.name, 1) }, uniquingKeysWith: +)
        var taken = Set(counts.keys.map { $0.lowercased() })
        var next: [String: Int] = [:]
        for index in providers.indices {
            let name = providers[index].name
            providers[index].id = name
            guard counts[name, default: 1] > 1 else { continue }
            repeat {
                next[name, default: 0] += 1
                providers[index].id = "\(name)-\(next[name, default: 1])"
            } while !taken.insert(providers[index].id.lowercased()).inserted
        }
    }
}
