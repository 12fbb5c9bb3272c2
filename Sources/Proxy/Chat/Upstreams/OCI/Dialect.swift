import ProxyRouting

/// The dialect that one chat and its upstream speak: who writes the request. Who reads what comes back is in
/// `Chat/Session/Dialect+Relay`.
enum Dialect: Sendable {
    case generic
    /// With the names under which the model knows the chat's tools.
    case cohere(CohereToolNames)
    case cohereV2

    init(_ format: APIFormat, for chat: ChatRequest) {
        self =
            switch format {
            case .generic: .generic
            case .cohere: .cohere(CohereToolNames(chat.tools))
            case .cohereV2: .cohereV2
            }
    }

    /// - Throws: `Failure` 400 that names the parameter, for what the client cannot do without and the dialect does not have.
    func details(of chat: ChatRequest, for target: ChatTarget) throws(Failure) -> CallDetails {
        switch self {
        case .generic: try GenericRequestWriter.translate(chat, for: target)
        case .cohere(let names): try CohereRequestWriter.translate(chat, names: names, for: target)
        case .cohereV2: try CohereV2RequestWriter.translate(chat, for: target)
        }
    }
}
