/// What a model is asked for (`gen_ai.operation.name`).
package enum GenAIOperation: Hashable, Sendable {
    case chat, textCompletion, embeddings
    /// Not one of the conventions' own, as are the others below.
    case rerank, imageGeneration, speech, transcription, moderation
    case other(String)

    package var name: String {
        switch self {
        case .chat: "chat"
        case .textCompletion: "text_completion"
        case .embeddings: "embeddings"
        case .rerank: "rerank"
        case .imageGeneration: "image_generation"
        case .speech: "speech"
        case .transcription: "transcription"
        case .moderation: "moderation"
        case .other(let name): name
        }
    }
}
