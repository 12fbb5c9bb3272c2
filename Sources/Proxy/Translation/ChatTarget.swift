/// Where a translated request is going.
struct ChatTarget: Sendable {
    let serving: ServingMode
    /// Decides about the family's quirks.
    let modelID: String
    /// Sent when the client sets no limit: the service's own default is about twenty tokens.
    let defaultMaxTokens: Int
    /// How the upstream is called, whatever the client asked for.
    let isStreaming: Bool
}
