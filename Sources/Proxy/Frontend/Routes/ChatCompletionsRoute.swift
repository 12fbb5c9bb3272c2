import NIOCore
import NIOHTTP1

/// `POST /v1/chat/completions`: reads the request, finds the model, translates once, and makes the call at one account after the
/// other, as one document or as a stream.
struct ChatCompletionsRoute: Sendable {
    /// How often a request is mended after OCI has refused a parameter by name.
    static let mostLessons = 3

    let directory: ModelDirectory
    let lessons: ParameterLessons
    let failover: Failover
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
        let target = try directory.catalog.resolve(chat.model)
        let dialect = Dialect(APIFormat(modelID: target.modelID), for: chat)
        let streamsUpstream = chat.isStreaming && !limits.forcesWhole
        let call = ChatCall(
            details: try translate(chat, in: dialect, for: target, isStreaming: streamsUpstream), dialect: dialect, limits: limits, time: time,
            deadline: exchange.arrival + limits.request,
            envelope: ChunkEnvelope(id: "chatcmpl-" + RequestID.randomHex(), created: Int(time.wallClock()), model: chat.model),
            isStreaming: streamsUpstream, includesUsage: chat.includesUsage, executor: EventLoopExecutor(exchange.channel.eventLoop))

        if chat.isStreaming {
            try await stream(call, at: target, fromWhole: !streamsUpstream, to: &exchange)
        } else {
            let answer = try await attempts(call, at: target, for: &exchange) { call, account, report in try await call.whole(at: account, report) }
            exchange.send(.json(answer.body))
        }
    }

    private func translate(
        _ chat: ChatRequest, in dialect: Dialect, for target: ModelCatalog.Target, isStreaming: Bool
    ) throws(APIError) -> CallDetails {
        try dialect.details(
            of: chat,
            for: ChatTarget(
                serving: target.serving, modelID: target.modelID, family: lessons.family(of: target.modelID), defaultMaxTokens: limits.maxTokens,
                isStreaming: isStreaming))
    }

    private func stream(_ call: ChatCall, at target: ModelCatalog.Target, fromWhole: Bool, to exchange: inout Exchange) async throws {
        let stream = EventStream(
            on: exchange.channel, headers: exchange.decorated(Self.streamHeaders),
            keepAliveInterval: limits.keepAlive, emptyEvent: call.envelope.emptyEvent)
        stream.open()
        do {
            try await attempts(call, at: target, for: &exchange) { call, account, report in
                if fromWhole {
                    try await call.replay(at: account, to: stream, report)
                } else {
                    try await call.relay(at: account, to: stream, report)
                }
            }
            exchange.record.status = 200
        } catch let error as APIError {
            exchange.record.error = error.code
            exchange.record.status = try await stream.fail(exchange.decorated(Answer(error)), orEvent: call.envelope.error(error))
        }
    }

    /// Makes the call at one account after the other, and notes in the log's record where the last attempt went and what came of
    /// it.
    private func attempts<Success>(
        _ call: ChatCall, at target: ModelCatalog.Target, for exchange: inout Exchange,
        _ attempt: (ChatCall, OCIAccount, AttemptReport) async throws -> Success
    ) async throws -> Success {
        var call = call
        let body = exchange.request.body
        var record = exchange.record
        defer { exchange.record = record }
        let arrival = exchange.arrival
        return try await failover.run(among: target.accepts, until: call.deadline) { upstream, report in
            record.account = upstream.id
            record.attempts += 1
            defer {
                let content = report.content
                record.usage = content.usage
                record.firstToken = content.firstEvent.map { $0 - arrival }
            }
            var lessonsLeft = Self.mostLessons
            while true {
                do {
                    return try await attempt(call, upstream.account, report)
                } catch let error as APIError where lessonsLeft > 0 && lessons.learn(from: error, of: target.modelID) {
                    lessonsLeft -= 1
                    // Read once more: keeping every request in its parsed form, for the one that needs it, would cost all of them.
                    call.details = try translate(
                        ChatRequest.parse(Array(buffer: body)), in: call.dialect, for: target, isStreaming: call.isStreaming)
                } catch {
                    if OutcomeClassifier.outcome(of: error) == .modelUnavailable { directory.refuse(target.serving.id, at: upstream.index) }
                    throw error
                }
            }
        }
    }

    private static let streamHeaders: HTTPHeaders = [
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // Tells nginx in front of us not to gather events.
        "x-accel-buffering": "no",
    ]
}
