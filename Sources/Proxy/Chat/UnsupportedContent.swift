import ProxyRouting

extension ContentPart {
    /// A text as it is; nil for anything else.
    var text: ArraySlice<UInt8>? { if case .text(let text) = self { text } else { nil } }

    /// What a person calls a part of this kind.
    private var kindName: String {
        switch self {
        case .text: "text"
        case .image: "an image"
        case .audio: "audio"
        case .video: "a video"
        case .document: "a document"
        }
    }

    /// 400: the model cannot take this part, and the client could not do without.
    ///
    /// - Parameter wanted: what it takes.
    func refusal(in message: Int, takes wanted: String) -> Failure {
        .invalidRequest(
            "'messages[\(message)]' contains \(kindName), but this model accepts \(wanted) only. Remove it, or choose another model.",
            field: "messages", as: .unsupportedContent)
    }
}
