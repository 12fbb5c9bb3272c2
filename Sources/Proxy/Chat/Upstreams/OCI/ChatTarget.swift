/// Where a translated request is going.
struct ChatTarget: Sendable {
    let serving: ServingMode
    let modelID: String
    /// The model's quirks.
    let family: ModelFamily
    /// Sent when the client sets no limit: the service's own default is about twenty tokens.
    let defaultMaxTokens: Int
    /// How the upstream is called, whatever the client asked for.
    let isStreaming: Bool

    /// - Parameter family: nil for what the table of families says.
    init(serving: ServingMode, modelID: String, family: ModelFamily? = nil, defaultMaxTokens: Int, isStreaming: Bool) {
        self.serving = serving
        self.modelID = modelID
        self.family = family ?? .of(modelID)
        self.defaultMaxTokens = defaultMaxTokens
        self.isStreaming = isStreaming
    }
}

extension ModelFamily {
    /// The limit to send: the client's, else the default, lowered to what the shared clusters give. A cluster of the tenancy's
    /// own has other limits.
    func tokens(wanted: Int?, for target: ChatTarget) -> Int {
        let wanted = wanted ?? target.defaultMaxTokens
        guard let mostTokens, case .onDemand = target.serving else { return wanted }
        return min(wanted, mostTokens)
    }
}
