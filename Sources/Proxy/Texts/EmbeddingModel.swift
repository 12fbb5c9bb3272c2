/// What the embedding models are known to take: one row a kind, the first that matches counts. The facts are from the OCI wire
/// notes, section 8.
struct EmbeddingModel: Sendable {
    /// Texts of one call.
    static let mostInputs = 96

    /// Part of the model ids.
    let models: String
    /// The length of every vector; nil when the client may choose, or nobody knows.
    var dimensions: Int?

    static let table: [EmbeddingModel] = [
        EmbeddingModel(models: "-light-v3", dimensions: 384),
        EmbeddingModel(models: "-light-image-v3", dimensions: 384),
        EmbeddingModel(models: "-v3", dimensions: 1024),
    ]

    static func of(_ modelID: String) -> EmbeddingModel {
        let id = modelID.lowercased()
        guard id.hasPrefix("cohere.embed") else { return EmbeddingModel(models: "") }
        return table.first { id.contains($0.models) } ?? EmbeddingModel(models: "")
    }
}
