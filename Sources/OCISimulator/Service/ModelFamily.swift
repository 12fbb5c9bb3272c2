/// The vendors' habits that the simulator imitates (OCI wire notes 4.3 and 5).
package enum ModelFamily: Sendable, Equatable {
    case grok, llama, gemini, gptOSS, openAI, cohere, other

    /// Decided by the display name, such as `xai.grok-4`.
    package init(model name: String) {
        let name = name.lowercased()
        self =
            if name.hasPrefix("xai.") { .grok } else if name.hasPrefix("meta.") {
                .llama
            } else if name.hasPrefix("google.") {
                .gemini
            } else if name.hasPrefix("openai.gpt-oss") || name.hasPrefix("gpt-oss") {
                .gptOSS
            } else if name.hasPrefix("openai.") { .openAI } else if name.hasPrefix("cohere.") { .cohere } else {
                .other
            }
    }
}

/// `apiFormat` of a chat request.
package enum ChatFormat: String, Sendable, Equatable {
    case generic = "GENERIC"
    case cohere = "COHERE"
    case cohereV2 = "COHEREV2"

    /// What a model takes (OCI wire notes 3.1).
    package static func accepted(by model: String) -> Set<ChatFormat> {
        let name = model.lowercased()
        guard name.hasPrefix("cohere.") else { return [.generic] }
        if name.hasPrefix("cohere.command-a-vision") || name.hasPrefix("cohere.command-a-reasoning") {
            return [.cohereV2]
        }
        return name == "cohere.command-a-03-2025" ? [.cohere, .cohereV2] : [.cohere]
    }
}

/// What a model makes of a request that ends with an assistant's message, as users of the vendors' own services report it: OCI's documents say nothing.
package enum PrefillHabit: Sendable, Equatable {
    /// It goes on with it, word for word.
    case goesOn
    case refuses
    /// It begins a new answer.
    case ignores

    package init(model name: String) {
        let name = name.lowercased()
        let refusing = ["google.gemini-3.5-flash-lite", "google.gemini-3.6-flash"]
        self =
            if refusing.contains(where: name.hasPrefix) { .refuses } else {
                ModelFamily(model: name) == .gemini ? .goesOn : .ignores
            }
    }
}

/// How a model lets its reasoning be seen.
package enum ReasoningHabit: Sendable, Equatable {
    case none
    /// Sent as text ahead of the answer.
    case shown
    /// Only counted in the usage.
    case hidden

    package init(model name: String) {
        let name = name.lowercased()
        let shown = ["xai.grok-3-mini", "openai.gpt-oss", "gpt-oss", "cohere.command-a-reasoning"]
        let hidden = ["google.gemini-2.5-pro", "google.gemini-2.5-flash", "openai.gpt-5", "openai.o"]
        if name.contains("non-reasoning") || name.contains("flash-lite") {
            self = .none
        } else if shown.contains(where: name.hasPrefix) {
            self = .shown
        } else {
            self = hidden.contains(where: name.hasPrefix) || name.hasPrefix("xai.grok-4") ? .hidden : .none
        }
    }
}
