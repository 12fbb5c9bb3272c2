import NIOCore
import NIOHTTP1

/// `POST /v1/chat/completions`: reads the request, finds the model, translates once, and makes the call at one account after the
/// other, as one document or as a stream.
struct ChatCompletionsRoute: Sendable {
    let directory: ModelDirectory
    let lessons: ModelLessons
    let failover: Failover
    /// What may answer in a model's place when nobody can serve it, in this order.
    var fallbacks: [String: [String]] = [:]
    let limits: Limits
    let time: TimeSource

    /// What the configuration says about time and size.
    struct Limits: Sendable {
        /// From arrival to the first event of a stream.
        var request: Duration
        /// From arrival to the end of a whole answer.
        var whole: Duration
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
        if request.isStreaming {
            try await stream(request, root, to: &exchange)
        } else {
            let answer = try await served(request, root, for: &exchange) { call, backend, report in try await call.whole(at: backend, report) }
            exchange.send(.json(answer.body))
        }
    }

    private func stream(_ request: PassThroughRequest, _ root: RequestField, to exchange: inout Exchange) async throws {
        let envelope = ChunkEnvelope(id: "chatcmpl-" + RequestID.randomHex(), created: Int(time.wallClock()), model: request.model)
        let stream = EventStream(
            on: exchange.channel, headers: exchange.decorated(Self.streamHeaders),
            keepAliveInterval: limits.keepAlive, emptyEvent: envelope.emptyEvent)
        stream.open()
        defer { exchange.record.sent = stream.sent }
        do {
            try await served(request, root, for: &exchange) { call, backend, report in try await call.stream(at: backend, to: stream, report) }
            exchange.record.status = 200
        } catch {
            guard let error = exchange.lastWords(after: error) else { throw error }
            exchange.record.error = error.code
            exchange.record.status = try await stream.fail(exchange.decorated(Answer(error)), orEvent: envelope.error(error))
        }
    }

    /// Has the request answered by the model that it names, or, when nobody can, by one of its fallbacks in their order.
    ///
    /// - Throws: what the model that was asked for ended with.
    private func served<Success>(
        _ request: PassThroughRequest, _ root: RequestField, for exchange: inout Exchange,
        _ attempt: (ChatCall, any Backend, AttemptReport) async throws -> Success
    ) async throws -> Success {
        do {
            return try await answered(request, root, by: request.model, for: &exchange, attempt)
        } catch let error as APIError where error.permitsAnotherModel && exchange.record.firstToken == nil {
            for model in fallbacks[request.model] ?? [] {
                do {
                    return try await answered(request, root, by: model, for: &exchange, attempt)
                } catch let error as APIError where error.permitsAnotherModel && exchange.record.firstToken == nil {
                    continue
                }
            }
            exchange.record.fallback = nil
            throw error
        }
    }

    private func answered<Success>(
        _ request: PassThroughRequest, _ root: RequestField, by model: String, for exchange: inout Exchange,
        _ attempt: (ChatCall, any Backend, AttemptReport) async throws -> Success
    ) async throws -> Success {
        let target = try directory.catalog.resolve(model, for: .chat)
        exchange.record.fallback = model == request.model ? nil : model
        let calls = try ChatCalls(
            request, root, for: target, named: model, forms: directory.catalog.forms(of: target), lessons: lessons, limits: limits,
            frame: ChatCall.Frame(
                limits: limits, time: time, deadline: exchange.arrival + (request.isStreaming ? limits.request : limits.whole),
                envelope: ChunkEnvelope(id: "chatcmpl-" + RequestID.randomHex(), created: Int(time.wallClock()), model: model),
                includesUsage: request.includesUsage, executor: EventLoopExecutor(exchange.channel.eventLoop)))
        return try await attempts(calls, for: &exchange, attempt)
    }

    /// Makes the call at one account after the other, and notes in the log's record where the last attempt went and what came of
    /// it.
    private func attempts<Success>(
        _ calls: ChatCalls, for exchange: inout Exchange, _ attempt: (ChatCall, any Backend, AttemptReport) async throws -> Success
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
            let form = upstream.backend.chatForm
            while true {
                do {
                    return try await attempt(try calls.call(in: form), upstream.backend, report)
                } catch let error as APIError where report.content.firstEvent == nil && calls.learn(from: error, in: form) {
                    continue
                } catch {
                    if OutcomeClassifier.outcome(of: error) == .modelUnavailable { directory.refuse(target.serving.id, at: upstream.index) }
                    // Errors within a stream or in place of an answer come without a refusal's status.
                    if let error = error as? APIError { throw upstream.backend.withoutKey(error) }
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

extension APIError {
    /// The model could not answer, be it that all its upstreams failed or that the prompt is too long for it: another may. What is wrong
    /// with the request, or with the proxy's own load, is so for every model.
    fileprivate var permitsAnotherModel: Bool {
        switch code {
        case "queue_full", "queue_timeout": false
        case "context_length_exceeded", "model_not_found": true
        default: status == 429 || status >= 500
        }
    }
}
