import ProxyRouting

/// A whole answer in the OpenAI form.
struct OpenAIResponse: Equatable, Sendable {
    /// The `chat.completion` document.
    let body: [UInt8]
    let usage: TokenUsage?
    /// What the upstream has said oddly.
    var oddities = Oddities()
}
