import ProxyRouting

/// An embeddings request, checked. The texts stay slices of the body that came in.
///
/// Fields that nobody knows (`user` and the like) are no reason to refuse.
struct EmbeddingsRequest: Sendable {
    /// As many as OpenAI takes; clients cut longer lists themselves.
    static let mostInputs = 2048

    let model: String
    /// At least one, none of them empty; escaped, as they came.
    let inputs: [ArraySlice<UInt8>]
    let format: Format
    /// Length of each vector; nil when the model may decide.
    let dimensions: Int?
    /// Nil when the client does not say it, or in words that mean nothing here.
    let purpose: Purpose?
    /// What becomes of a text that is too long; nil as above.
    let truncation: Truncation?

    /// How the client wants to read a vector.
    enum Format: Sendable {
        /// Numbers.
        case float
        /// The base64 of 32-bit floats, the least significant byte first. What the official clients ask for by default.
        case base64
    }

    /// What the vectors are for (`input_type`, as Cohere's API has it): search puts queries and documents at different places.
    enum Purpose: String, Sendable {
        case document = "SEARCH_DOCUMENT"
        case query = "SEARCH_QUERY"
        case classification = "CLASSIFICATION"
        case clustering = "CLUSTERING"
        /// The inputs are data URIs.
        case image = "IMAGE"
    }

    /// Which end of a text is cut off; without cutting the call fails.
    enum Truncation: String, Sendable {
        case none = "NONE"
        case start = "START"
        case end = "END"
    }

    /// - Throws: `Failure` 400 with the place of what cannot be.
    static func parse(_ body: [UInt8]) throws(Failure) -> EmbeddingsRequest {
        try EmbeddingsRequest(RequestField(body: body))
    }

    private init(_ body: RequestField) throws(Failure) {
        model = try body.model()
        inputs = try Self.inputs(body.member("input"))
        format = try Self.format(body.member("encoding_format"))
        let wanted = try body.member("dimensions")?.int()
        // 0 is an input field that was left empty.
        dimensions = wanted.flatMap { $0 >= 1 ? $0 : nil }
        purpose = body.member("input_type")?.value.string.flatMap(Purpose.init(written:))
        truncation = body.member("truncate").flatMap { Truncation(written: $0.value) }
    }

    private static func inputs(_ field: RequestField?) throws(Failure) -> [ArraySlice<UInt8>] {
        guard let field else {
            throw .invalidRequest(
                "'input' is missing: send the text to embed, or an array of texts.", field: "input", as: .missing)
        }
        guard field.value.kind == .array else {
            guard field.value.kind == .string else { throw field.wrongType("a string or an array of strings") }
            return [try text(field)]
        }
        var inputs: [ArraySlice<UInt8>] = []
        for element in try field.elements() { inputs.append(try text(element)) }
        guard !inputs.isEmpty else { throw field.invalid("must contain at least one text.") }
        guard inputs.count <= mostInputs else {
            throw field.invalid("has \(inputs.count) texts; send at most \(mostInputs) per request.")
        }
        return inputs
    }

    private static func text(_ field: RequestField) throws(Failure) -> ArraySlice<UInt8> {
        switch field.value.kind {
        case .number, .array:
            throw .invalidRequest(
                "'input' contains token ids, but OCI's models accept text only. Send the text itself; in LangChain that is "
                    + "OpenAIEmbeddings(check_embedding_ctx_length=False).",
                field: "input", as: .type)
        case .string:
            let text = try field.rawString()
            guard !text.isEmpty else { throw field.invalid("is empty.") }
            return text
        case .object, .true, .false, .null: throw field.wrongType("a string")
        }
    }

    private static func format(_ field: RequestField?) throws(Failure) -> Format {
        switch try field?.string() {
        case nil, "float": .float
        case "base64": .base64
        case .some:
            throw .invalidRequest(
                "'encoding_format' must be \"float\" or \"base64\".", field: "encoding_format", as: .value)
        }
    }
}

extension EmbeddingsRequest.Purpose {
    /// In Cohere's words, in either case, or in the short ones of other vendors.
    fileprivate init?(written: String) {
        switch written.lowercased() {
        case "document", "passage": self = .document
        case "query": self = .query
        default: self.init(rawValue: written.uppercased())
        }
    }
}

extension EmbeddingsRequest.Truncation {
    /// In Cohere's words, in either case; true and false are what other servers take.
    fileprivate init?(written: JSONValue) {
        switch written.kind {
        case .true: self = .end
        case .false: self = .none
        default:
            guard let word = written.string else { return nil }
            self.init(rawValue: word.uppercased())
        }
    }
}
