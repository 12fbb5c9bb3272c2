/// The dialect that one chat and its upstream speak: the request's translation and the answer's way back. The one place that
/// knows them all.
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

    /// - Throws: `APIError` 400 that names the parameter, for what the client cannot do without and the dialect does not have.
    func details(of chat: ChatRequest, for target: ChatTarget) throws(APIError) -> CallDetails {
        switch self {
        case .generic: try OpenAIToGeneric.translate(chat, for: target)
        case .cohere(let names): try OpenAIToCohere.translate(chat, names: names, for: target)
        case .cohereV2: try OpenAIToCohereV2.translate(chat, for: target)
        }
    }

    /// A whole answer (ChatResult), translated.
    ///
    /// - Throws: `APIError` 502 when the document is no answer, tells of a failure, or says nothing.
    func answer(_ body: [UInt8], in envelope: ChunkEnvelope, rules: AnswerRules = AnswerRules()) throws(APIError) -> OpenAIAnswer {
        switch self {
        case .generic: try GenericToOpenAI.translate(body, in: envelope, rules: rules)
        case .cohere(let names): try CohereToOpenAI.translate(body, names: names, in: envelope, rules: rules)
        case .cohereV2: try CohereV2ToOpenAI.translate(body, in: envelope, rules: rules)
        }
    }

    /// A whole answer (ChatResult) as the frames of a stream, `[DONE]` included, and the token counts.
    ///
    /// - Throws: as `answer`.
    func frames(
        of body: [UInt8], in envelope: ChunkEnvelope, includesUsage: Bool, rules: AnswerRules = AnswerRules()
    ) throws(APIError) -> (frames: [UInt8], usage: TokenUsage?) {
        switch self {
        case .generic: try GenericAnswerAsStream.frames(of: body, in: envelope, includesUsage: includesUsage, rules: rules)
        case .cohere(let names):
            try CohereAnswerAsStream.frames(
                of: CohereToOpenAI.chatResponse(body), through: CohereStream(envelope: envelope, includesUsage: includesUsage, names: names, rules: rules))
        case .cohereV2:
            try CohereAnswerAsStream.frames(
                of: CohereV2ToOpenAI.chatResponse(body), through: CohereV2Stream(envelope: envelope, includesUsage: includesUsage, rules: rules))
        }
    }

    /// What translates one stream of the upstream.
    ///
    /// - Parameter choices: how many were asked for; Cohere's dialects have only one.
    func stream(in envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1, rules: AnswerRules = AnswerRules()) -> any AnswerStream {
        switch self {
        case .generic: GenericStream(envelope: envelope, includesUsage: includesUsage, choices: choices, rules: rules)
        case .cohere(let names): CohereStream(envelope: envelope, includesUsage: includesUsage, names: names, rules: rules)
        case .cohereV2: CohereV2Stream(envelope: envelope, includesUsage: includesUsage, rules: rules)
        }
    }
}
