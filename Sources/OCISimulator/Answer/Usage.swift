extension Answer {
    /// `usage` with the arithmetic of the family (OCI wire notes 3.3): xAI and Gemini leave reasoning tokens out of
    /// `completionTokens`, and `totalTokens` has them everywhere.
    package func usage(_ family: ModelFamily) -> JSON {
        let total = promptTokens + visibleTokens + reasoningTokens
        var usage = JSON.object(JSONObject())
        switch family {
        case .gemini where visibleTokens == 0: break
        case .grok, .gemini: usage["completionTokens"] = .integer(visibleTokens)
        case .llama, .gptOSS, .openAI, .cohere, .other:
            usage["completionTokens"] = .integer(visibleTokens + reasoningTokens)
        }
        usage["promptTokens"] = .integer(promptTokens)
        usage["totalTokens"] = .integer(total)
        if reasoningTokens > 0 {
            usage["completionTokensDetails"] = ["reasoningTokens": .integer(reasoningTokens)]
        }
        if family == .grok { usage["promptTokensDetails"] = ["cachedTokens": 0] }
        return usage
    }
}
