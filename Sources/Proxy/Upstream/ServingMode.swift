/// Where a model runs: on Oracle's shared clusters, or on one of the tenancy's own.
enum ServingMode: Equatable, Sendable {
    /// A model's id (`xai.grok-4`) or its OCID.
    case onDemand(modelID: String)
    /// The OCID of an endpoint.
    case dedicated(endpointID: String)

    /// An endpoint's OCID is served by its cluster, everything else on demand.
    init(id: String) {
        self = id.hasPrefix("ocid1.generativeaiendpoint.") ? .dedicated(endpointID: id) : .onDemand(modelID: id)
    }

    var id: String {
        switch self {
        case .onDemand(let id): id
        case .dedicated(let id): id
        }
    }
}
