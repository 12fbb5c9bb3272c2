import NIOHTTP1

/// A call as an upstream is sent it.
enum CallDocument: Sendable {
    /// In OCI's form, but for the compartment.
    case details(OCIAction, CallDetails)
    /// In OpenAI's form.
    case openAI(OpenAIAction, SplicedText)
    /// As the client has sent it, in an API that the upstream speaks too.
    ///
    /// - headers: the client's own that belong to that API.
    case native(ProviderDialect, SplicedText, headers: [NativeHeader])
    /// Any call that a provider has beside them, as the client has sent it.
    ///
    /// - path: the end of its path, with a slash, and a query.
    /// - headers: those that say what the body is, and what is wanted.
    case forward(HTTPMethod, path: String, SplicedText?, headers: [NativeHeader])
}

/// A header field that passes with a request in its own API.
struct NativeHeader: Equatable, Sendable {
    let name: String
    let value: String
}

extension ProviderDialect {
    /// The end of its path.
    var path: String {
        switch self {
        case .chat: "/chat/completions"
        case .responses: "/responses"
        case .messages: "/messages"
        case .completions: "/completions"
        }
    }
}

/// The calls that OCI's inference API has. The raw values are the last parts of their paths.
enum OCIAction: String, Sendable {
    case chat
    case embed = "embedText"
    case rerank = "rerankText"
}

/// The calls that OpenAI-compatible providers have; the raw values are the ends of their paths.
enum OpenAIAction: String, Sendable {
    case chat = "/chat/completions"
    case embeddings = "/embeddings"
    case rerank = "/rerank"
}

/// The forms of calls. An upstream takes one of them.
enum ChatForm: Sendable {
    /// OCI's own, in the dialect of the model.
    case oci
    /// OpenAI's, as far as OCI takes it.
    case openAIOnOCI
    /// OpenAI's: what the client sent passes through.
    case openAI
}
