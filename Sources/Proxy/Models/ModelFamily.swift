/// What the models of a family do not take, or want in another way: one row a family, the first that matches counts.
///
/// To teach the proxy a new quirk, add or change a row; nothing else knows a vendor's name. The facts are from the OCI
/// wire notes, section 5.
struct ModelFamily: Sendable {
    /// Beginnings of the model ids.
    let models: [String]
    /// The name under which the limit of an answer's tokens goes out.
    var tokenLimit = TokenLimit.maxTokens
    /// Larger limits are brought down to this: the service caps or refuses them.
    var mostTokens: Int?
    /// Fields that are answered with 400; they are left out.
    var refuses: Set<TuningField> = []
    /// Knows the role DEVELOPER; others get SYSTEM.
    var hasDeveloperRole = false
    /// What stands for an empty text, where one breaks the call; nil: an empty text is fine.
    var emptyText: StaticString?
    /// Wants parallel calls told as one call and its result after the other.
    var pairsToolResults = false
    var schemas = SchemaDialect.standard
    /// Schemas of answers must be brought to that dialect too; elsewhere they go out as the client wrote them.
    var adaptsAnswerSchemas = false
    /// Sees images; elsewhere a request that has one is refused.
    var takesImages = true

    /// The limit's name was learnt from a refusal: there is no third one.
    var hasLearntTokenLimit = false

    /// Fields that only tune the answer, and that some families or models refuse.
    enum TuningField: String, CaseIterable, Sendable {
        case temperature, topP, topK, stop, reasoningEffort, penalties, logitBias, parallelToolCalls, seed,
            streamOptions, verbosity, metadata
    }

    enum TokenLimit: String, Sendable {
        case maxTokens, maxCompletionTokens
    }

    static let table: [ModelFamily] = [
        // Grok 4 and 3 mini refuse `stop`; reasoning effort is only 3 mini's to choose.
        ModelFamily(models: ["xai.grok-3-mini"], refuses: [.stop, .penalties], schemas: .nullable),
        ModelFamily(models: ["xai.grok-4"], refuses: [.stop, .reasoningEffort], schemas: .nullable),
        ModelFamily(models: ["xai."], refuses: [.reasoningEffort], schemas: .nullable),
        // An assistant without text fails after 90 s; unpaired results are refused.
        ModelFamily(
            models: ["google."], mostTokens: 65_536, emptyText: ".", pairsToolResults: true, schemas: .gemini,
            adaptsAnswerSchemas: true),
        // The open-weight models take the classic limit, the commercial ones only the new one. One region names them bare.
        ModelFamily(models: ["openai.gpt-oss", "gpt-oss"], hasDeveloperRole: true, schemas: .nullable),
        // Reasoning models sample as they like.
        ModelFamily(
            models: ["openai.gpt-5"], tokenLimit: .maxCompletionTokens,
            refuses: [.temperature, .topP, .topK, .penalties, .logitBias, .stop], hasDeveloperRole: true,
            schemas: .nullable),
        ModelFamily(
            models: ["openai.o"], tokenLimit: .maxCompletionTokens,
            refuses: [.temperature, .topP, .topK, .penalties, .logitBias, .stop, .parallelToolCalls],
            hasDeveloperRole: true, schemas: .nullable),
        ModelFamily(models: ["openai."], tokenLimit: .maxCompletionTokens, hasDeveloperRole: true, schemas: .nullable),
        ModelFamily(models: ["meta."], mostTokens: 4000),
        ModelFamily(models: ["cohere.command-a-vision"], mostTokens: 4000, refuses: [.reasoningEffort]),
        ModelFamily(models: ["cohere.command-a-reasoning"], mostTokens: 32_000, takesImages: false),
        ModelFamily(models: ["cohere."], mostTokens: 4000, takesImages: false),
        ModelFamily(models: [""]),
    ]

    static func of(_ modelID: String) -> ModelFamily {
        let id = modelID.lowercased()
        return table.first { $0.models.contains { id.hasPrefix($0) } } ?? ModelFamily(models: [""])
    }
}
