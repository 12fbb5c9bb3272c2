/// What OCI has taught about a model by refusing a parameter by name: the safety net below the table of families, for models that are
/// newer than it.
enum ParameterQuirk: Hashable, Sendable {
    /// To be left out.
    case refuses(ModelFamily.TuningField)
    /// The limit of an answer's tokens has the other name.
    case otherTokenLimit

    /// What there is to be learnt from the refusal of a parameter; nil when the client cannot do without it, or nothing is new.
    ///
    /// - Parameters:
    ///   - parameter: in OpenAI's name for it.
    ///   - family: what is known about the model already.
    init?(_ parameter: String, family: ModelFamily) {
        switch parameter {
        case "max_tokens", "max_completion_tokens":
            // Renamed once, and not back: each name may be refused.
            guard !family.hasLearntTokenLimit else { return nil }
            self = .otherTokenLimit
        default:
            guard let field = Self.fields[parameter], !family.refuses.contains(field) else { return nil }
            self = .refuses(field)
        }
    }

    private static let fields: [String: ModelFamily.TuningField] = [
        "temperature": .temperature, "top_p": .topP, "top_k": .topK, "stop": .stop,
        "reasoning_effort": .reasoningEffort,
        "frequency_penalty": .penalties, "presence_penalty": .penalties, "logit_bias": .logitBias,
        "parallel_tool_calls": .parallelToolCalls,
        "seed": .seed, "stream_options": .streamOptions, "streamOptions": .streamOptions, "verbosity": .verbosity,
        "metadata": .metadata,
    ]
}

extension ModelFamily {
    /// The same family, wiser.
    func applying(_ quirks: Set<ParameterQuirk>) -> ModelFamily {
        var family = self
        for lesson in quirks {
            switch lesson {
            case .refuses(let field): family.refuses.insert(field)
            case .otherTokenLimit:
                family.hasLearntTokenLimit = true
                family.tokenLimit = family.tokenLimit == .maxTokens ? .maxCompletionTokens : .maxTokens
            }
        }
        return family
    }
}
