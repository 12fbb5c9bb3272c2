/// The dialects of OCI's chat call, the likeliest first. The model decides which one it understands.
enum APIFormat: String, CaseIterable, Sendable {
    case generic = "GENERIC"
    case cohere = "COHERE"
    case cohereV2 = "COHEREV2"

    /// By model id (OCI wire notes, 3.1): whatever is not Cohere's speaks GENERIC, new vendors included.
    init(modelID: String) {
        let id = modelID.lowercased()
        // The last one understands both, and COHEREV2 has schemas for tools and can demand a call.
        if ["cohere.command-a-vision", "cohere.command-a-reasoning", "cohere.command-a-03-2025"].contains(where: {
            id.hasPrefix($0)
        }) {
            self = .cohereV2
        } else {
            self = id.hasPrefix("cohere.") ? .cohere : .generic
        }
    }
}
