import NIOCore
import NIOHTTP1

/// `POST /v1/chat/completions`: reads the request, finds the model, translates once, and makes the call at one account after the
/// other, as one document or as a stream.
struct ChatCompletionsRoute: Sendable {
    let directory: ModelDirectory
    let lessons: ModelLessons
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
        let body = Array(buffer: exchange.request.body)
        let root = try RequestField(body: body)
        let request = try PassThroughRequest(root, of: body)
        exchange.record.model = request.model
        let target = try directory.catalog.resolve(request.model, for: .chat)
        let calls = try ChatCalls(
            request, root, for: target, forms: directory.catalog.forms(of: target), lessons: lessons, limits: limits,
            frame: ChatCall.Frame(
                limits: limits, time: time, deadline: exchange.arrival + limits.request,
                envelope: ChunkEnvelope(id: "chatcmpl-" + RequestID.randomHex(), created: Int(time.wallClock()), model: request.model),
                includesUsage: request.includesUsage, executor: EventLoopExecutor(exchange.channel.eventLoop)))

        if request.isStreaming {
            try await stream(calls, to: &exchange)
        } else {
            let answer = try await attempts(calls, for: &exchange) { call, account, report in try await call.whole(at: account, report) }
            exchange.send(.json(answer.body))
        }
    }

    private func stream(_ calls: ChatCalls, to exchange: inout Exchange) async throws {
        let envelope = calls.frame.envelope
        let stream = EventStream(
            on: exchange.channel, headers: exchange.decorated(Self.streamHeaders),
            keepAliveInterval: limits.keepAlive, emptyEvent: envelope.emptyEvent)
        stream.open()
        do {
            try await attempts(calls, for: &exchange) { call, account, report in try await call.stream(at: account, to: stream, report) }
            exchange.record.status = 200
        } catch let error as APIError {
            exchange.record.error = error.code
            exchange.record.status = try await stream.fail(exchange.decorated(Answer(error)), orEvent: envelope.error(error))
        }
    }

    /// Makes the call at one account after the other, and notes in the log's record where the last attempt went and what came of
    /// it.
    private func attempts<Success>(
        _ calls: ChatCalls, for exchange: inout Exchange, _ attempt: (ChatCall, OCIAccount, AttemptReport) async throws -> Success
    ) async throws -> Success {
        var calls = calls
        let target = calls.target
        var record = exchange.record
        defer { exchange.record = record }
        let arrival = exchange.arrival
        return try await failover.run(among: target.accepts, until: calls.frame.deadline) { upstream, report in
            record.account = upstream.id
            record.attempts += 1
            defer {
                let content = report.content
                record.usage = content.usage
                record.firstToken = content.firstEvent.map { $0 - arrival }
            }
            let form = upstream.account.chatForm
            while true {
                do {
                    return try await attempt(try calls.call(in: form), upstream.account, report)
                } catch let error as APIError where report.content.firstEvent == nil && calls.learn(from: error, in: form) {
                    continue
                } catch {
                    if OutcomeClassifier.outcome(of: error) == .modelUnavailable { directory.refuse(target.serving.id, at: upstream.index) }
                    // Errors within a stream or in place of an answer come without a refusal's status.
                    if let error = error as? APIError { throw upstream.account.withoutKey(error) }
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
