import NIOCore
import NIOHTTP1

/// `POST /v1/chat/completions`: reads the request, finds the model, translates once, and makes the call at one account after the
/// other, as one document or as a stream.
///
/// A stream begins in a task of its own and is finished by `finish` alone (docs/decisions/0007): the memory of a task is that of its deepest
/// moment, and it is held for each open stream.
final class ChatCompletionsRoute: Sendable {
    let directory: ModelDirectory
    let lessons: ModelLessons
    let failover: Failover
    /// What may answer in a model's place when nobody can serve it, in this order.
    let fallbacks: [String: [String]]
    let limits: Limits
    let time: TimeSource

    init(
        directory: ModelDirectory, lessons: ModelLessons, failover: Failover, fallbacks: [String: [String]] = [:], limits: Limits, time: TimeSource
    ) {
        self.directory = directory
        self.lessons = lessons
        self.failover = failover
        self.fallbacks = fallbacks
        self.limits = limits
        self.time = time
    }

    /// What the configuration says about time and size.
    struct Limits: Sendable {
        /// From arrival to the first event of a stream.
        var request: Duration
        /// From arrival to the end of a whole answer.
        var whole: Duration
        /// For the head of a stream's answer; zero for no limit but the others.
        var head: Duration
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

    nonisolated(nonsending) func respond(_ exchange: Exchange) async throws {
        let body = exchange.request.body
        let reading = try await LargeWork.run(on: body.count) { try Reading(body) }
        exchange.record.model = reading.request.model
        if reading.request.isStreaming {
            try await stream(reading, to: exchange)
        } else {
            try await whole(reading, to: exchange)
        }
    }

    /// A request's body, read: as it passes, and parsed for those who translate.
    private final class Reading {
        let request: PassThroughRequest
        /// Until the first call has been written.
        var root: RequestField?
        /// Nil when the model has no fallbacks.
        var history: RequestHistory?
        /// Of the answer, whoever gives it, where an upstream has none of its own.
        let answer = RandomName()

        init(_ body: [UInt8]) throws(APIError) {
            let root = try RequestField(body: body)
            request = try PassThroughRequest(root, of: body)
            self.root = root
        }
    }

    @inline(never)
    private nonisolated(nonsending) func whole(_ reading: Reading, to exchange: Exchange) async throws {
        let served = try await served(reading, for: exchange) { call, backend, report in try await call.whole(at: backend, report) }
        await served.attempt.end()
        exchange.send(.json(served.attempt.success.body))
    }

    @inline(never)
    private nonisolated(nonsending) func stream(_ reading: Reading, to exchange: Exchange) async throws {
        let stream = open(reading, to: exchange)
        defer { exchange.record.sent = stream.sent }
        do {
            try await finish(try await begun(stream, for: reading, exchange), exchange)
            exchange.record.status = 200
        } catch {
            try await fail(stream, after: error, reading, exchange)
        }
    }

    @inline(never)
    private nonisolated(nonsending) func fail(_ stream: EventStream, after error: any Error, _ reading: Reading, _ exchange: Exchange) async throws {
        guard let error = exchange.lastWords(after: error) else { throw error }
        exchange.record.error = error.code
        exchange.record.status = try await stream.fail(exchange.decorated(Answer(error)), orEvent: envelope(reading).error(error))
    }

    /// The first of it, in a task of its own, whose memory goes with it.
    @inline(never)
    private nonisolated(nonsending) func begun(_ stream: EventStream, for reading: Reading, _ exchange: Exchange) async throws -> Served<LiveStream?> {
        // nonisolated(unsafe): this task waits until the other has ended.
        nonisolated(unsafe) let (reading, exchange) = (reading, exchange)
        nonisolated(unsafe) var result: Served<LiveStream?>?
        async let end: Void = {
            result = try await served(reading, for: exchange) { call, backend, report in try await call.stream(at: backend, to: stream, report) }
        }()
        try await end
        guard let result else { throw CancellationError() }
        return result
    }

    /// The rest of it.
    @inline(never)
    private nonisolated(nonsending) func finish(_ served: Served<LiveStream?>, _ exchange: Exchange) async throws {
        let attempt = served.attempt
        do {
            defer { exchange.record.note(attempt.report.content, since: exchange.arrival) }
            try await attempt.success?.finish()
        } catch {
            throw await attempt.end(after: blamed(error, on: attempt.upstream, for: served.model)) ?? CancellationError()
        }
        await attempt.end()
    }

    private func open(_ reading: Reading, to exchange: Exchange) -> EventStream {
        let envelope = envelope(reading)
        let stream = EventStream(
            on: exchange.connection, headers: exchange.decorated(Self.streamHeaders), keepAliveInterval: limits.keepAlive, emptyEvent: { envelope.emptyEvent(id: $0) })
        stream.open()
        return stream
    }

    private func envelope(_ reading: Reading) -> ChunkEnvelope {
        ChunkEnvelope(name: reading.answer, created: Int(time.wallClock()), model: reading.request.model)
    }

    /// Has the request answered by the model that it names, or, when nobody can, by one of its fallbacks in their order.
    ///
    /// - Throws: what the model that was asked for ended with.
    private nonisolated(nonsending) func served<Success>(
        _ reading: Reading, for exchange: Exchange, _ attempt: nonisolated(nonsending) (ChatCall, any Backend, AttemptReport) async throws -> Success
    ) async throws -> Served<Success> {
        do {
            return try await answered(reading, by: reading.request.model, for: exchange, attempt)
        } catch let error as APIError where permitsAnotherModel(error, reading, exchange) {
            for model in fallbacks[reading.request.model] ?? [] {
                do {
                    return try await answered(reading, by: model, for: exchange, attempt)
                } catch let error as APIError where permitsAnotherModel(error, reading, exchange) {
                    continue
                }
            }
            exchange.record.fallback = nil
            throw error
        }
    }

    /// Nothing has been said yet, there is time left, and another model might do better.
    @inline(never)
    private func permitsAnotherModel(_ error: APIError, _ reading: Reading, _ exchange: Exchange) -> Bool {
        error.permitsAnotherModel && exchange.record.firstToken == nil && time.now() < deadline(of: reading.request, exchange)
    }

    private func deadline(of request: PassThroughRequest, _ exchange: Exchange) -> Duration {
        exchange.arrival + (request.isStreaming ? limits.request : limits.whole)
    }

    /// Makes the call at one account after the other, and notes in the log's record where the last attempt went and what came of
    /// it.
    @inline(never)
    private nonisolated(nonsending) func answered<Success>(
        _ reading: Reading, by model: String, for exchange: Exchange,
        _ attempt: nonisolated(nonsending) (ChatCall, any Backend, AttemptReport) async throws -> Success
    ) async throws -> Served<Success> {
        let size = reading.request.received.count
        let calls: ChatCalls = try await LargeWork.run(on: size) { try self.calls(for: reading, by: model, of: exchange) }
        let begun = try await failover.begin(routed(calls, reading, exchange)) { upstream, report in
            exchange.record.begin(at: upstream.id)
            defer { exchange.record.note(report.content, since: exchange.arrival) }
            let form = upstream.backend.chatForm
            while true {
                do {
                    let call: ChatCall = try await LargeWork.run(on: size) { try calls.call(in: form) }
                    return try await attempt(call, upstream.backend, report)
                } catch {
                    if let told = told(error, by: upstream, report, calls, form) { throw told }
                }
            }
        }
        return Served(attempt: begun, model: calls.target.serving.id)
    }

    private func routed(_ calls: ChatCalls, _ reading: Reading, _ exchange: Exchange) -> RoutedRequest {
        if reading.history == nil, fallbacks[reading.request.model] != nil { reading.history = RequestHistory() }
        return RoutedRequest(
            accepts: calls.target.accepts, model: calls.target.serving.id, arrival: exchange.arrival, deadline: calls.frame.deadline,
            isStreaming: calls.request.isStreaming, client: exchange.record.key ?? "", history: reading.history)
    }

    /// An answer, or its beginning.
    private struct Served<Success> {
        let attempt: BegunAttempt<Success>
        /// The model's id at its upstream.
        let model: String
    }

    /// What a failure of an attempt means.
    ///
    /// - Returns: the error to end the attempt with; nil when the call is to be made again, as something has been learnt.
    @inline(never)
    private func told(_ error: any Error, by upstream: Upstream, _ report: AttemptReport, _ calls: ChatCalls, _ form: ChatForm) -> (any Error)? {
        if let error = error as? APIError, report.content.firstEvent == nil, calls.learn(from: error, in: form) { return nil }
        return blamed(error, on: upstream, for: calls.target.serving.id)
    }

    /// Takes note of what a failure says about the upstream.
    ///
    /// - Returns: the error, fit for a client.
    private func blamed(_ error: any Error, on upstream: Upstream, for model: String) -> any Error {
        if OutcomeClassifier.outcome(of: error) == .modelUnavailable { directory.refuse(model, at: upstream.index) }
        // Errors within a stream or in place of an answer come without a refusal's status.
        guard let error = error as? APIError else { return error }
        return upstream.backend.withoutKey(error)
    }

    /// What the upstreams of `model` are called with.
    @inline(never)
    private func calls(for reading: Reading, by model: String, of exchange: Exchange) throws(APIError) -> ChatCalls {
        let request = reading.request
        let catalog = directory.catalog
        let target = try catalog.resolve(model, for: .chat)
        exchange.record.fallback = model == request.model ? nil : model
        // A fallback reads it again: keeping every request in its parsed form, for the one that needs it, would cost all of them.
        let root = if let parsed = reading.root.take() { parsed } else { try RequestField(body: request.received) }
        return try ChatCalls(
            request, root, for: target, named: model, isTranslated: catalog.hasForm(.oci, in: target), lessons: lessons, limits: limits,
            frame: ChatCall.Frame(
                limits: limits, time: time, deadline: deadline(of: request, exchange),
                envelope: ChunkEnvelope(name: reading.answer, created: Int(time.wallClock()), model: model), includesUsage: request.includesUsage, choices: request.choices,
                executor: exchange.connection.executor))
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
        switch kind {
        case .promptTooLong, .modelGone, .modelNotAllowed, .throttled, .accountExhausted, .accountDoubted, .credentialsRefused, .credentialsDoubted, .unavailable, .failed, .timedOut: true
        case .request, .wrongKind: false
        case nil:
            switch code {
            case "queue_full", "queue_timeout": false
            case "context_length_exceeded", "model_not_found": true
            default: status == 429 || status >= 500
            }
        }
    }
}
