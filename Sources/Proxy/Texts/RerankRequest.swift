import ProxyRouting

/// A rerank request, checked: OpenAI has none, so it is the one of Cohere and Jina, as clients send it.
struct RerankRequest: Sendable {
    let model: String
    /// Escaped, as it came.
    let query: ArraySlice<UInt8>
    /// At least one; escaped.
    let documents: [ArraySlice<UInt8>]
    /// How many results are wanted, 1 ... the number of documents; nil for all.
    let topN: Int?
    let returnsDocuments: Bool
    let maxChunksPerDocument: Int?
    let maxTokensPerDocument: Int?

    /// - Throws: `Failure` 400 with the place of what cannot be.
    static func parse(_ body: [UInt8]) throws(Failure) -> RerankRequest {
        try RerankRequest(RequestField(body: body))
    }

    private init(_ body: RequestField) throws(Failure) {
        model = try body.model()
        guard let query = body.member("query") else {
            throw .invalidRequest(
                "'query' is missing: send the text to compare the documents with.", field: "query", as: .missing)
        }
        self.query = try query.rawString()
        guard !self.query.isEmpty else {
            throw query.invalid("is empty.")
        }
        guard let list = body.member("documents") else {
            throw .invalidRequest("'documents' is missing: send an array of texts.", field: "documents", as: .missing)
        }
        let fields = try RankFields(body.member("rank_fields"))
        var documents: [ArraySlice<UInt8>] = []
        for element in try list.elements() { documents.append(try Self.text(of: element, fields)) }
        guard !documents.isEmpty else { throw list.invalid("must contain at least one text.") }
        self.documents = documents
        let wanted = try Self.count(body.member("top_n"))
        topN = wanted.map { min($0, documents.count) }
        returnsDocuments = try body.member("return_documents")?.bool() ?? true
        maxChunksPerDocument = try Self.count(body.member("max_chunks_per_doc"))
        maxTokensPerDocument = try Self.count(body.member("max_tokens_per_doc"))
    }

    /// Some programs write 0 or -1 for no limit.
    private static func count(_ field: RequestField?) throws(Failure) -> Int? {
        guard let field else { return nil }
        let count = try field.int()
        return count >= 1 ? count : nil
    }

    /// The members of documents that `rank_fields` names, each with its place among them.
    private struct RankFields {
        private(set) var places: [String: Int] = [:]
        var isTextOnly: Bool { places.isEmpty || places.count == 1 && places["text"] != nil }

        init(_ field: RequestField?) throws(Failure) {
            guard let field else { return }
            for name in try field.elements() {
                let name = try name.string()
                if places[name] == nil { places[name] = places.count }
            }
        }
    }

    /// A document's text: a string is it; of an object the member `text` is, or those that `rank_fields` names, one a line as
    /// Cohere has them.
    private static func text(of document: RequestField, _ fields: RankFields) throws(Failure) -> ArraySlice<UInt8> {
        guard document.value.kind == .object else {
            guard document.value.kind == .string else {
                throw document.wrongType("a string or an object with a 'text'")
            }
            return try document.rawString()
        }
        guard !fields.isTextOnly else {
            guard let text = document.member("text") else { throw document.invalid("has no 'text'.", as: .missing) }
            return try text.rawString()
        }
        // Once over the members, whatever their number and that of the fields: both are the client's to choose.
        var chosen: [Int: (field: String, value: JSONValue)] = [:]
        for (key, value) in document.value.members {
            guard let field = key.string, let place = fields.places[field] else { continue }
            chosen[place] = (field, value)
        }
        var text: [UInt8] = []
        for (_, (field, value)) in chosen.sorted(by: { $0.key < $1.key }) where !value.isNull {
            if !text.isEmpty { text += #"\n"#.utf8 }
            JSONString.append(field + ": ", to: &text)
            if let string = value.rawString {
                text += string
            } else {
                JSONString.append(String(decoding: value.raw, as: UTF8.self), to: &text)
            }
        }
        guard !text.isEmpty else { throw document.invalid("has none of the members that 'rank_fields' names.") }
        return text[...]
    }
}
