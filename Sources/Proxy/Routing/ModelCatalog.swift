/// Which names clients may use, and what each means at OCI.
struct ModelCatalog: Sendable {
    /// A model as OCI is asked for it.
    struct Target: Equatable, Sendable {
        /// What the upstream call names: a model's id or OCID, or a dedicated endpoint's OCID.
        var serving: ServingMode
        /// The id that decides about dialect and quirks; for an endpoint its OCID, since its base model is not known.
        var modelID: String { serving.id }
    }

    /// An entry of the model list.
    struct Entry: Equatable, Sendable {
        let name: String
        let target: Target
        /// The vendor, as the id begins.
        var owner: String {
            switch target.serving {
            case .onDemand(let id): id.hasPrefix("ocid1.") ? "oci" : String(id.prefix { $0 != "." })
            case .dedicated: "oci"
            }
        }
    }

    /// Custom aliases in the order of the config file.
    let entries: [Entry]
    private let byName: [String: Entry]

    init(aliases: [(name: String, target: String)]) {
        entries = aliases.map { Entry(name: $0.name, target: Target(serving: ServingMode(id: $0.target))) }
        byName = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// The entry of that name.
    subscript(name: String) -> Entry? { byName[name] }

    /// What `name` stands for: an alias, or a full OCI id or OCID, which always works.
    ///
    /// - Throws: 404 `model_not_found`, with up to three names that are near.
    func resolve(_ name: String) throws(APIError) -> Target {
        if let entry = byName[name] { return entry.target }
        if Self.isFullID(name) { return Target(serving: ServingMode(id: name)) }
        throw .unknownModel(name, near: NearestName.several(to: name, among: entries.map(\.name), limit: 3))
    }

    /// `vendor.model` of a vendor that OCI hosts, or the OCID of a model or an endpoint.
    private static func isFullID(_ name: String) -> Bool {
        if name.hasPrefix("ocid1.generativeaimodel.") || name.hasPrefix("ocid1.generativeaiendpoint.") { return true }
        return ["xai.", "meta.", "google.", "openai.", "cohere."].contains { name.hasPrefix($0) && name.count > $0.count }
    }
}

extension APIError {
    static func unknownModel(_ name: String, near: [String]) -> APIError {
        let hint =
            switch near.count {
            case 0: "GET /v1/models lists the names that work."
            default: "Did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))? GET /v1/models lists the names that work."
            }
        return APIError(
            status: 404, message: "The model '\(name.prefix(200))' is not known here. \(hint)",
            type: "invalid_request_error", param: "model", code: "model_not_found")
    }
}
