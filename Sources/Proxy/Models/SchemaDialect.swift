/// What a family of models understands of JSON Schema.
enum SchemaDialect: Equatable, Sendable {
    /// JSON Schema without references, titles and null.
    case standard
    /// The same with null, as OpenAI's own strict schemas write what may be missing.
    case nullable
    /// A part of OpenAPI 3.0: a short list of keywords, one type each, enums of texts only (OCI wire notes, 5.3).
    case gemini
}
