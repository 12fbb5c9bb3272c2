import NIOCore
import NIOHTTP1

/// `POST /v1/chat/completions`: reads the request, finds the model, translates, and hands over to the whole or the
/// streamed way.
struct ChatCompletionsRoute: Sendable {
    let catalog: ModelCatalog
    let upstream: Upstream
    let limits: Limits
    let time: TimeSource

    /// What the configuration says about time and size.
    struct Limits: Sendable {
        /// From arrival to the end of a whole answer, or to the first event of a stream.
        var request: Duration
        /// For the first event of a stream; zero for no limit but `request`.
        var firstToken: Duration
        /// The longest silence inside a stream.
        var silence: Duration
        /// Silence after which the client is reassured.
        var keepAlive: Duration
        /// Bytes of a whole answer.
        var answer: Int
        /// Sent when the client gave no limit of its own.
        var maxTokens: Int
        /// Call the upstream without streaming whatever the client asked for.
        var forcesWhole: Bool
    }

    func respond(_ exchange: inout Exchange) async throws {
        let chat = try ChatRequest.parse(Array(buffer: exchange.request.body))
        exchange.record.model = chat.model
        let target = try catalog.resolve(chat.model)
        guard APIFormat(modelID: target.modelID) == .generic else { throw APIError.notServedYet(chat.model) }
        let account = upstream.account
        exchange.record.account = account.id

        let streamsUpstream = chat.isStreaming && !limits.forcesWhole
        let details = try OpenAIToGeneric.translate(
            chat,
            for: GenericTarget(
                compartmentID: account.compartment, serving: target.serving, modelID: target.modelID,
                defaultMaxTokens: limits.maxTokens, isStreaming: streamsUpstream))
        let call = ChatCall(
            account: account, details: details, limits: limits, time: time, arrival: exchange.arrival,
            envelope: ChunkEnvelope(id: "chatcmpl-" + RequestID.randomHex(), created: Int(time.wallClock()), model: chat.model),
            includesUsage: chat.includesUsage, executor: EventLoopExecutor(exchange.channel.eventLoop))
        exchange.record.attempts = 1

        if chat.isStreaming {
            try await stream(call, fromWhole: !streamsUpstream, to: &exchange)
        } else {
            let answer = try await call.whole()
            exchange.record.usage = answer.usage
            exchange.send(.json(answer.body))
        }
    }

    private func stream(_ call: ChatCall, fromWhole: Bool, to exchange: inout Exchange) async throws {
        let stream = EventStream(
            on: exchange.channel, headers: exchange.decorated(Self.streamHeaders),
            keepAliveInterval: limits.keepAlive, emptyEvent: call.envelope.emptyEvent)
        stream.open()
        do {
            let summary = fromWhole ? try await call.replay(to: stream) : try await call.relay(to: stream)
            exchange.record.status = 200
            exchange.record.usage = summary.usage
            exchange.record.firstToken = summary.firstEvent.map { $0 - exchange.arrival }
        } catch let error as APIError {
            exchange.record.error = error.code
            exchange.record.status = try await stream.fail(exchange.decorated(Answer(error)), orEvent: call.envelope.error(error))
        }
    }

    private static let streamHeaders: HTTPHeaders = [
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // Tells nginx in front of us not to gather events.
        "x-accel-buffering": "no",
    ]
}

extension APIError {
    fileprivate static func notServedYet(_ model: String) -> APIError {
        APIError(
            status: 400,
            message: "The model '\(model.prefix(200))' speaks Cohere's format, which this version does not translate yet. Choose a model of another vendor.",
            type: "invalid_request_error", param: "model", code: "unsupported_model_format")
    }
}
