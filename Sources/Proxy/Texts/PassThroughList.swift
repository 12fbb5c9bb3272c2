import ProxyRouting

/// A whole answer of embeddings or of a rerank by an upstream that speaks the OpenAI API: it passes as it is, but for `model`.
enum PassThroughList {
    /// An object with the list that was asked for, checked to its last byte. Some providers of reranks call theirs `data`.
    ///
    /// - Throws: `Failure` 502 when the body is no such answer (half of one, a page of HTML), or an error in place of one.
    static func read(_ body: [UInt8], of action: OpenAIAction, model: String, upstream: String) throws(Failure)
        -> ClientResponse
    {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else {
            throw .invalidAnswer("is not JSON", upstream)
        }
        guard root["data"]?.kind == .array || action == .rerank && root["results"]?.kind == .array else {
            if let failure = ProviderErrorReader.failure(of: root, upstream: upstream) { throw failure }
            guard ErrorWords.tellFailure(root) else { throw .invalidAnswer("has no list of results", upstream) }
            throw ProviderErrorReader.translate(document: root, upstream: upstream)
        }
        // An empty list beside an error is none.
        let list = root["data"] ?? root["results"]
        if list?.elements.contains(where: { _ in true }) != true,
            let failure = ProviderErrorReader.failure(of: root, upstream: upstream)
        {
            throw failure
        }
        if action == .embeddings,
            let place = list?.elements.enumerated().first(where: { hasNoVector($0.element) })?.offset
        {
            throw noVector(of: place, upstream)
        }
        return ClientResponse(
            body: ModelMember.replace(in: body, parsed: root, with: model), usage: TokenUsage(openAI: root["usage"]))
    }

    /// An entry of embeddings that has a place for its vector and nothing in it: servers say so to a text of which no token is left. Clients fall over it.
    private static func hasNoVector(_ entry: JSONValue) -> Bool {
        guard let vector = entry["embedding"] else { return false }
        switch vector.kind {
        case .null: return true
        case .array: return vector.elements.first(where: { _ in true })?.isNull ?? true
        case .string: return vector.isEmptyString == true
        case .object, .number, .true, .false: return false
        }
    }

    /// It is the text's own, so nobody else is asked.
    private static func noVector(of place: Int, _ upstream: String) -> Failure {
        Failure(
            .unusable(.noVector),
            "'\(upstream)' returned no vector for text \(place) of 'input'. The text may be too short, or contain only characters that the model ignores.",
            field: "input[\(place)]")
    }
}
