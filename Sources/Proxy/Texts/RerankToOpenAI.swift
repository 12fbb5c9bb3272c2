import ProxyRouting

/// OCI's answer to a rerank request (RerankTextResult) in the forms that clients read: `results` as Cohere and Jina have them,
/// and the same as `data`, which Continue reads.
enum RerankToOpenAI {
    /// - Parameters:
    ///   - id: of the answer, where the upstream gives none.
    ///   - request: what was asked; its name of the model is told.
    /// - Throws: `Failure` 502 when the document is no answer to the request. A place that no document has would make clients
    ///   fail in less clear words.
    static func translate(_ body: [UInt8], to request: RerankRequest, id: String) throws(Failure) -> ClientResponse {
        guard let root = try? JSONDocument(parsing: body).root, let ranks = root.present("documentRanks"),
            ranks.kind == .array
        else {
            throw .noRanks("is not a ranking")
        }
        let results = try results(ranks, of: request.documents)
        let usage = TokenUsage(oci: root["usage"])
        var writer = JSONWriter(capacity: 2 * body.count + 256)
        writer.beginObject()
        writer.key("id")
        writer.string(root["id"]?.string ?? id)
        writer.key("object")
        writer.string(literal: "list")
        writer.key("model")
        writer.string(request.model)
        writer.key("results")
        writer.beginArray()
        for result in results { result.write(withText: request.returnsDocuments, to: &writer) }
        writer.endArray()
        writer.key("data")
        writer.beginArray()
        for result in results { result.write(withText: false, to: &writer) }
        writer.endArray()
        writer.key("usage")
        writer.beginObject()
        writer.key("prompt_tokens")
        writer.int(usage?.prompt ?? 0)
        writer.key("total_tokens")
        writer.int(usage?.total ?? 0)
        writer.endObject()
        writer.endObject()
        return ClientResponse(body: writer.bytes, usage: usage)
    }

    private struct Result {
        let index: Int
        /// A number, as the upstream wrote it.
        let score: ArraySlice<UInt8>
        /// Escaped.
        let text: ArraySlice<UInt8>

        func write(withText: Bool, to writer: inout JSONWriter) {
            writer.beginObject()
            writer.key("index")
            writer.int(index)
            writer.key("relevance_score")
            writer.raw(score)
            if withText {
                writer.key("document")
                writer.beginObject()
                writer.key("text")
                writer.string(escaped: text)
                writer.endObject()
            }
            writer.endObject()
        }
    }

    private static func results(_ ranks: JSONValue, of documents: [ArraySlice<UInt8>]) throws(Failure) -> [Result] {
        var results: [Result] = []
        var seen: Set<Int> = []
        for rank in ranks.elements {
            guard let index = rank["index"]?.int, documents.indices.contains(index), seen.insert(index).inserted,
                let score = rank["relevanceScore"], score.kind == .number
            else { throw .noRanks("ranks a document that was not sent") }
            results.append(
                Result(index: index, score: score.raw, text: rank["document"]?["text"]?.rawString ?? documents[index]))
        }
        guard !results.isEmpty else { throw .noRanks("contains no results") }
        return results
    }
}

extension Failure {
    /// The upstream's answer says something else than what was asked for.
    fileprivate static func noRanks(_ what: String) -> Failure {
        Failure(
            .failed(.invalid),
            "The upstream's response \(what). Try again; if the error persists, check the account's endpoint."
        )
    }
}
