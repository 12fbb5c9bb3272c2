/// A model as OCI's management API lists it (OCI wire notes, 6): what the proxy reads of it.
struct ModelSummary: Equatable, Sendable {
    /// For base models the public id, such as `xai.grok-4`; that is what a call names.
    var displayName: String
    /// Differs by region.
    var ocid: String
    /// `cohere`, `meta`, …: free text. Of a provider's model what its list calls `owned_by`.
    var vendor: String?
    var capabilities: Set<String>
    var isActive: Bool
    /// False for models of the tenancy's own, which need a cluster and an endpoint.
    var isBase: Bool
    /// Seconds since 1970.
    var created: Int?
    /// From then on it is unusable on demand, even when it is listed as active. Seconds since 1970.
    var retired: Int?
    /// What a provider's list says of it besides, as members of an object with a comma before each.
    var details: [UInt8] = []

    /// What a model is asked for.
    enum Purpose: String, CaseIterable, Sendable {
        case chat = "CHAT"
        case embeddings = "TEXT_EMBEDDINGS"
        case rerank = "TEXT_RERANK"
    }

    /// Whether anybody can call it on demand for that.
    ///
    /// - Parameter now: seconds since 1970.
    func serves(_ purpose: Purpose, at now: Int64) -> Bool {
        isActive && isBase && capabilities.contains(purpose.rawValue) && (retired.map { $0 > now } ?? true)
    }
}

extension ModelSummary {
    /// The items of a page; nil when the body is no `ModelCollection`. An item without a name is passed over.
    static func page(_ body: [UInt8]) -> [ModelSummary]? {
        guard let items = try? JSONDocument(parsing: body).root["items"], items.kind == .array else { return nil }
        return items.elements.compactMap { ModelSummary($0) }
    }

    private init?(_ item: JSONValue) {
        guard let name = item["displayName"]?.string, !name.isEmpty else { return nil }
        displayName = name
        ocid = item["id"]?.string ?? ""
        vendor = item["vendor"]?.string
        capabilities = Set(item["capabilities"]?.elements.compactMap(\.string) ?? [])
        isActive = item["lifecycleState"]?.string == "ACTIVE"
        isBase = item["type"]?.string ?? "BASE" == "BASE"
        created = item["timeCreated"]?.string.flatMap(RFC3339.seconds)
        retired = item["timeOnDemandRetired"]?.string.flatMap(RFC3339.seconds)
    }
}
