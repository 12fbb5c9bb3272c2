/// OCI's own Responses API (OCI wire notes, 7).
enum OCIResponses {
    /// Whether requests for a model pass there.
    ///
    /// OCI serves xAI's and OpenAI's models in it, and Llama. Llama's tools fail on that path behind a system message (OCI wire notes, 5.4), so its requests
    /// are translated; Cohere's and Google's models, and dedicated endpoints, are not there at all.
    static func serve(_ model: String) -> Bool {
        let id = model.lowercased()
        return id.hasPrefix("xai.") || id.hasPrefix("openai.")
    }
}
