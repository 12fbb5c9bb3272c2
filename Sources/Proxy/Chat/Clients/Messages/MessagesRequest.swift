import ProxyRouting

/// Reads a request to Anthropic's Messages API as a chat completion's: the wire, its odd forms and what becomes of each are in docs/dialects.md.
///
/// Unknown fields are ignored; what would make the answer wrong is refused in the words of that API.
struct MessagesRequest {
    /// The name that the client sent.
    let model: String
    /// The name that is looked up.
    let asked: String
    let isStreaming: Bool
    /// The chat completion's request.
    let chat: [UInt8]
    /// Which part of this request each message of the chat was made of.
    let places: [JSONValue?]
    let thinking: Thinking
    /// Escaped.
    let stops: [ArraySlice<UInt8>]
    /// Tokens of all that the model will see, guessed.
    let estimate: Int
    /// The client wants nothing said, and only the cache warmed.
    let isWarmUp: Bool

    /// The last message is the assistant's.
    let continuesAnswer: Bool
    /// It builds on reasoning that was sealed here, which no upstream can read.
    let isOwn: Bool

    /// Whether the client sees what the model thinks.
    enum Thinking: Sendable { case none, shown, omitted }

    /// - Throws: `Failure` 400, with the path of what cannot be as that API writes paths.
    init(_ body: [UInt8], unsealing seal: ReasoningSeal, isCounting: Bool = false) throws(Failure) {
        do throws(Failure) {
            let root = try RequestField(body: body)
            var reader = MessagesReader(root, unsealing: seal)
            for field in ["model", "messages"] as [StaticString] where root.member(field) == nil {
                throw .missing(field)
            }
            model = try root.model()
            asked = ModelName.withoutWindow(model)
            let limit = try root.member("max_tokens")?.int()
            guard isCounting || limit != nil else { throw .missing("max_tokens") }
            if let limit, limit < 0 {
                throw .invalidRequest("max_tokens: must be 0 or more", field: "max_tokens", as: .value)
            }
            isStreaming = try root.member("stream")?.bool() ?? false
            isWarmUp = !isCounting && limit == 0
            thinking = try Self.thinking(root.member("thinking"))
            stops =
                try root.member("stop_sequences").map { field throws(Failure) in
                    var texts: [ArraySlice<UInt8>] = []
                    for text in try field.elements() { texts.append(try text.rawString()) }
                    guard texts.count <= Self.mostStops else {
                        throw field.invalid("must have at most \(Self.mostStops) texts.")
                    }
                    return texts
                } ?? []
            let draft = try reader.draft(isCounting: isCounting)
            places = draft.places
            isOwn = reader.isOwn
            continuesAnswer = draft.messages.last.map { $0.role == .assistant && $0.calls.isEmpty } ?? false
            chat = draft.written(
                model: ModelName.withoutWindow(root.value["model"]?.rawString ?? []), isStreaming: isStreaming)
            estimate = TokenEstimate.tokens(of: root.value, ["system", "messages", "tools"])
        } catch {
            throw MessagesPaths.worded(error)
        }
    }

    /// Each costs a step for every byte of the answer.
    private static let mostStops = 64
    /// OpenAI takes four, and refuses more.
    static let mostStopsSent = 4

    private static func thinking(_ field: RequestField?) throws(Failure) -> Thinking {
        guard let field, let type = try field.object().member("type") else { return .none }
        guard ["enabled", "adaptive", "between_tools"].contains(try type.string()) else { return .none }
        return field.value["display"]?.equals("omitted") == true ? .omitted : .shown
    }
}

extension Failure {
    /// 400 in the words of Anthropic's API.
    static func missing(_ field: StaticString) -> Failure {
        .invalidRequest("\(field): Field required", field: "\(field)", as: .missing)
    }
}

/// Paths as Anthropic's API writes them: `messages.0.content`, which programs read.
enum MessagesPaths {
    static func worded(_ failure: Failure) -> Failure {
        guard let field = failure.field else { return failure }
        let path = dotted(field)
        var failure = failure
        failure.field = path
        if failure.message.hasPrefix("'\(field)' ") {
            failure.message = "\(path): " + failure.message.dropFirst(field.utf8.count + 3)
        } else if path != field {
            failure.message.replace(field, with: path)
        }
        return failure
    }

    static func dotted(_ path: String) -> String {
        path.replacing("[", with: ".").replacing("]", with: "")
    }
}
