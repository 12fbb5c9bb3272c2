import ProxyRouting

/// A client that speaks Anthropic's Messages.
final class MessagesDialect: ClientDialect {
    let response: ResponseID
    /// The name that the client sent.
    let model: String
    /// The name that is looked up for it.
    private let asked: String
    let thinking: MessagesRequest.Thinking
    /// Texts of the client's that end an answer, escaped.
    let stops: [ArraySlice<UInt8>]
    /// Tokens of what the model reads, guessed.
    let estimate: Int
    let seal: ReasoningSeal
    /// The request's, which errors tell.
    let requestID: String
    let native: NativeRequest?
    let continuesAnswer: Bool
    private let places: [JSONValue?]

    convenience init(
        _ request: MessagesRequest, sealing seal: ReasoningSeal, requestID: String, native: NativeRequest?
    ) {
        self.init(
            response: .drawn(RandomName()), model: request.model, asked: request.asked,
            thinking: request.thinking, stops: request.stops,
            estimate: request.estimate, seal: seal, requestID: requestID, native: native,
            continuesAnswer: request.continuesAnswer, places: request.places)
    }

    /// Of a request that is no chat.
    convenience init(_ native: NativeRequest, sealing seal: ReasoningSeal, requestID: String) {
        self.init(
            response: .drawn(RandomName()), model: native.request.model, asked: native.request.model,
            thinking: .none, stops: [], estimate: 0,
            seal: seal, requestID: requestID, native: native, continuesAnswer: false, places: [])
    }

    init(
        response: ResponseID, model: String, asked: String, thinking: MessagesRequest.Thinking,
        stops: [ArraySlice<UInt8>],
        estimate: Int, seal: ReasoningSeal, requestID: String, native: NativeRequest?, continuesAnswer: Bool,
        places: [JSONValue?]
    ) {
        self.response = response
        self.model = model
        self.asked = asked
        self.thinking = thinking
        self.stops = stops
        self.estimate = estimate
        self.seal = seal
        self.requestID = requestID
        self.native = native
        self.continuesAnswer = continuesAnswer
        self.places = places
    }

    var id: String { response.text(prefix: "msg_") }
    var headers: [(String, String)] { [("request-id", requestID)] }
    var acceptsSilence: Bool { true }

    func stream() -> ItemStream<MessagesEvents> { ItemStream(MessagesEvents(self), cuttingAt: cuts) }
    func document() -> ItemStream<MessagesDocument> { ItemStream(MessagesDocument(self), cuttingAt: cuts) }

    /// Upstreams take a few texts that end an answer; where there are more, the text is cut here.
    private var cuts: [[UInt8]] {
        guard stops.count > MessagesRequest.mostStopsSent else { return [] }
        return stops.map { Array(JSONString.decode($0).utf8) }.filter { !$0.isEmpty }
    }

    /// Claude Code's watch over the stream counts events, and no comments.
    func keepAlive(_ kind: KeepAliveSchedule.Reassurance, id: String?) -> [UInt8] { MessagesEvents.ping }

    func error(_ failure: Failure) -> ClientError { ClientError(AnthropicError(failure, requestID: requestID)) }
    func errorEvent(_ failure: Failure) -> [UInt8] { AnthropicError(worded(failure), requestID: requestID).event }

    func worded(_ failure: Failure) -> Failure {
        ClientPaths(places: places, names: Self.names).worded(failure, as: MessagesPaths.worded)
    }

    /// What a chat completion's members are called there.
    private static let names: [(chat: String, client: String)] = [
        ("stop", "stop_sequences"), ("response_format.json_schema", "output_config.format"),
        ("response_format", "output_config.format"),
        ("reasoning_effort", "output_config.effort"),
        ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"), ("max_completion_tokens", "max_tokens"),
    ]

    func naming(_ model: String) -> MessagesDialect {
        model == self.model || model == asked
            ? self
            : MessagesDialect(
                response: response, model: model, asked: model, thinking: thinking, stops: stops, estimate: estimate,
                seal: seal,
                requestID: requestID, native: native, continuesAnswer: continuesAnswer, places: places)
    }
}

extension MessagesDialect {
    /// What a message begins with, up to its first block.
    func begin(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("type")
        writer.string(literal: "message")
        writer.key("role")
        writer.string(literal: "assistant")
        writer.key("model")
        writer.string(model)
        writer.key("content")
        writer.beginArray()
    }

    /// How an answer has ended, in that API's words.
    struct Stop {
        let reason: StaticString
        /// Escaped.
        var sequence: [UInt8]?
    }

    func stop(_ end: ItemEnd, hasRefused: Bool) -> Stop {
        if hasRefused || end.reason == .contentFilter { return Stop(reason: "refusal") }
        if end.reason == .length { return Stop(reason: "max_tokens") }
        if end.reason == .contextWindow { return Stop(reason: "model_context_window_exceeded") }
        if end.hasCalls { return Stop(reason: "tool_use") }
        if let stop = end.stop, stops.contains(where: { JSONString.decode($0) == JSONString.decode(stop[...]) }) {
            return Stop(reason: "stop_sequence", sequence: stop)
        }
        return Stop(reason: "end_turn")
    }

    /// `stop_reason`, `stop_sequence`, and what is to be said of a refusal: members, the first without a comma before it.
    func write(_ stop: Stop, refusal: [UInt8], to writer: inout JSONWriter) {
        writer.key("stop_reason")
        writer.string(literal: stop.reason)
        writer.key("stop_sequence")
        if let sequence = stop.sequence { writer.string(escaped: sequence[...]) } else { writer.null() }
        guard stop.reason.utf8.elementsEqual(("refusal" as StaticString).utf8) else { return }
        writer.key("stop_details")
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "refusal")
        writer.key("category")
        writer.null()
        writer.key("explanation")
        if refusal.isEmpty { writer.null() } else { writer.string(escaped: refusal[...]) }
        writer.endObject()
    }

    /// The tokens; the guess where the upstream has told none, since clients decide by them when to compact.
    func write(_ usage: TokenUsage?, to writer: inout JSONWriter) {
        let (cached, written) = (usage?.cached ?? 0, usage?.cacheWrites ?? 0)
        writer.beginObject()
        writer.key("input_tokens")
        writer.int(max(0, (usage?.prompt ?? estimate) - cached - written))
        writer.key("cache_creation_input_tokens")
        writer.int(written)
        writer.key("cache_read_input_tokens")
        writer.int(cached)
        writer.key("output_tokens")
        writer.int(usage?.completion ?? 0)
        if let reasoning = usage?.reasoning {
            writer.key("output_tokens_details")
            writer.beginObject()
            writer.key("thinking_tokens")
            writer.int(reasoning)
            writer.endObject()
        }
        writer.endObject()
    }

    /// The signature of a thinking block: the reasoning itself where the client does not see it.
    func signature(of thought: [UInt8]) -> String {
        thinking == .omitted ? seal.seal(thought[...]) : ReasoningSeal.empty
    }

    /// A call's id as that API forms ids, where the upstream has none.
    func callID(_ id: String) -> String {
        id.hasPrefix("call_\(response.token)") ? "toolu_" + id.dropFirst("call_".count) : id
    }
}
