/// A rerank request as OCI's RerankTextDetails (OCI wire notes, 3.6).
enum OpenAIToRerank {
    static func translate(_ request: RerankRequest, to serving: ServingMode) -> CallDetails {
        var writer = JSONWriter(capacity: 4096, isSplicing: true)
        writer.beginObject()
        serving.write(to: &writer)
        writer.key("input")
        writer.string(escaped: request.query)
        writer.key("documents")
        writer.beginArray()
        for document in request.documents { writer.string(escaped: document) }
        writer.endArray()
        if let topN = request.topN {
            writer.key("topN")
            writer.int(topN)
        }
        writer.key("isEcho")
        writer.bool(request.returnsDocuments)
        if let chunks = request.maxChunksPerDocument {
            writer.key("maxChunksPerDocument")
            writer.int(chunks)
        }
        if let tokens = request.maxTokensPerDocument {
            writer.key("maxTokensPerDocument")
            writer.int(tokens)
        }
        writer.endObject()
        return CallDetails(writer.text)
    }
}
