import ProxyRouting

/// An OpenAI embeddings request as OCI's EmbedTextDetails, in batches of what a model takes at once (OCI wire notes, 3.6).
enum OpenAIToEmbed {
    /// A call that embeds some of the request's texts.
    struct Batch: Sendable {
        let details: CallDetails
        /// The places of its texts in the request.
        let range: Range<Int>
    }

    /// - Parameter modelID: decides what can be asked for; the endpoint's OCID where the model behind it is not known.
    /// - Throws: `Failure` 400 when the model has no vectors of that length: without them the client's store cannot go on.
    static func translate(_ request: EmbeddingsRequest, to serving: ServingMode, modelID: String) throws(Failure)
        -> [Batch]
    {
        var dimensions = request.dimensions
        if let only = EmbeddingModel.of(modelID).dimensions, let wanted = dimensions {
            guard wanted == only else {
                throw .invalidRequest(
                    "'dimensions' is \(wanted), but this model returns vectors of \(only) dimensions only; remove it, or choose another model.",
                    field: "dimensions", as: .value)
            }
            // Such a model refuses the field whatever it says.
            dimensions = nil
        }
        // One image is all that a call takes.
        let size = request.purpose == .image ? 1 : EmbeddingModel.mostInputs
        return stride(from: 0, to: request.inputs.count, by: size).map { start in
            let range = start..<min(start + size, request.inputs.count)
            return Batch(details: details(of: request, range, dimensions: dimensions, to: serving), range: range)
        }
    }

    private static func details(
        of request: EmbeddingsRequest, _ range: Range<Int>, dimensions: Int?, to serving: ServingMode
    ) -> CallDetails {
        var writer = JSONWriter(capacity: 4096, isSplicing: true)
        writer.beginObject()
        serving.write(to: &writer)
        writer.key("inputs")
        writer.beginArray()
        for input in request.inputs[range] { writer.string(escaped: input) }
        writer.endArray()
        if let dimensions {
            writer.key("outputDimensions")
            writer.int(dimensions)
        }
        writer.key("truncate")
        // A text that is a little too long should not fail the whole list, of which its sender knows nothing but the answer.
        writer.string((request.truncation ?? .end).rawValue)
        writer.key("inputType")
        writer.string((request.purpose ?? .document).rawValue)
        writer.endObject()
        return CallDetails(writer.text)
    }
}
