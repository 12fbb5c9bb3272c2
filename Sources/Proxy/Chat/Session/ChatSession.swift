import NIOCore
import NIOHTTP1
import ProxyRouting

/// One chat, from its request to the last byte of its answer. Read `begin` for who is asked: for each model, each of its upstreams.
///
/// It belongs to the task of its request. A class, since it is at hand in each step: the memory of a task holds it once.
final class ChatSession {
    private let route: ChatCompletionsRoute
    private let context: RequestContext
    private let request: PassThroughRequest
    /// The request's body, parsed, until the first call has been written.
    private var root: RequestField?
    /// Of the answer, whoever gives it, where an upstream has none of its own.
    private let response = RandomName()
    /// What may answer in the model's place.
    private let fallbacks: [String]
    /// Nil when there are none.
    private let history: RequestHistory?

    private var limits: ChatCompletionsRoute.Limits { route.limits }
    private var time: TimeSource { route.time }

    /// - Throws: `Failure` 400 for a body that cannot be read.
    init(_ body: [UInt8], for context: RequestContext, by route: ChatCompletionsRoute) throws(Failure) {
        let root = try RequestField(body: body)
        request = try PassThroughRequest(root, of: body)
        self.root = root
        self.context = context
        self.route = route
        fallbacks = route.fallbacks[request.model] ?? []
        history = fallbacks.isEmpty ? nil : RequestHistory()
        context.record.model = request.model
    }

    nonisolated(nonsending) func run() async throws {
        if request.isStreaming { try await stream() } else { try await document() }
    }

    // MARK: The two ways to answer

    @inline(never)
    private nonisolated(nonsending) func document() async throws {
        let begun = try await begin { call, backend, report in try await call.document(at: backend, report) }
        await begun.attempt.end()
        context.send(.json(begun.success.body))
    }

    @inline(never)
    private nonisolated(nonsending) func stream() async throws {
        let stream = open()
        defer { context.record.sent = stream.sent }
        do {
            try await finish(try await begun(stream))
            context.record.status = 200
        } catch {
            try await fail(stream, after: error)
        }
    }

    /// The first of a stream.
    @inline(never)
    private nonisolated(nonsending) func begun(_ stream: EventStream) async throws -> Begun<LiveStream?> {
        try await inTaskOfItsOwn {
            try await self.begin { call, backend, report in try await call.stream(at: backend, to: stream, report) }
        }
    }

    /// The rest of it.
    @inline(never)
    private nonisolated(nonsending) func finish(_ begun: Begun<LiveStream?>) async throws {
        switch await begun.success?.finish() ?? .complete {
        case .complete: await begun.attempt.end()
        case .failed(let error):
            let failure = await begun.attempt.end(
                after: attributed(error, to: begun.attempt.upstream, for: begun.model)
            ).failure
            throw failure ?? CancellationError()
        }
    }

    private func open() -> EventStream {
        let envelope = envelope(naming: request.model)
        let stream = EventStream(
            on: context.connection, headers: context.decorated(Self.streamHeaders), keepAliveInterval: limits.keepAlive,
            emptyEvent: { envelope.emptyEvent(id: $0) })
        stream.open()
        return stream
    }

    @inline(never)
    private nonisolated(nonsending) func fail(_ stream: EventStream, after error: any Error) async throws {
        guard let failure = context.terminalError(after: error) else { throw error }
        let clientError = OpenAIError(failure)
        context.record.error = clientError.code
        context.record.status = try await stream.fail(
            context.decorated(Response(clientError)), orEvent: envelope(naming: request.model).error(failure))
    }

    private static let streamHeaders: HTTPHeaders = [
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // Tells nginx in front of us not to gather events.
        "x-accel-buffering": "no",
    ]

    // MARK: Who is asked

    /// An answer, or its beginning, and the attempt that brings it.
    private struct Begun<Success> {
        let success: Success
        let attempt: Attempt
        /// The model's id at its upstream.
        let model: String
    }

    private typealias Way<Success> =
        nonisolated(nonsending) (ChatCall, any Backend, AttemptReport) async throws -> Success

    /// Has the request answered by the model that it names, or, when nobody can, by one of its fallbacks in their order.
    ///
    /// - Throws: what the model that was asked for ended with.
    private nonisolated(nonsending) func begin<Success>(_ way: Way<Success>) async throws -> Begun<Success> {
        var first: Failure?
        for model in CollectionOfOne(request.model) + fallbacks {
            do {
                return try await begin(with: model, way)
            } catch let failure as Failure where mayAskAnotherModel(after: failure) {
                first = first ?? failure
            }
        }
        context.trace.append(.gaveUp)
        throw first ?? Failure.shuttingDown
    }

    /// One upstream of a model after the other.
    @inline(never)
    private nonisolated(nonsending) func begin<Success>(with model: String, _ way: Way<Success>) async throws -> Begun<
        Success
    > {
        let calls: ChatCalls = try await LargeWork.run(on: request.received.count) { try self.calls(for: model) }
        let attempts = route.failover.attempts(of: routed(calls))
        while true {
            let attempt = try await attempts.next()
            do {
                let success = try await answer(calls, attempt, way)
                await attempt.begun()
                return Begun(success: success, attempt: attempt, model: calls.target.serving.id)
            } catch {
                try await attempts.failed(attempt, with: error)
            }
        }
    }

    /// One attempt, once more with what its upstream teaches by refusing a parameter.
    @inline(never)
    private nonisolated(nonsending) func answer<Success>(_ calls: ChatCalls, _ attempt: Attempt, _ way: Way<Success>)
        async throws -> Success
    {
        let backend = attempt.upstream.backend
        while true {
            do {
                let call: ChatCall = try await LargeWork.run(on: request.received.count) {
                    try calls.call(in: backend.chatForm)
                }
                return try await way(call, backend, attempt.report)
            } catch {
                if let failure = error as? Failure, attempt.report.content.firstEvent == nil,
                    calls.learn(from: failure, in: backend.chatForm)
                {
                    continue
                }
                throw attributed(error, to: attempt.upstream, for: calls.target.serving.id)
            }
        }
    }

    /// Nothing has been said yet, there is time left, and another model might do better.
    private func mayAskAnotherModel(after failure: Failure) -> Bool {
        failure.kind.permitsAnotherModel && context.trace.summary.firstEvent == nil && time.now() < deadline
    }

    /// Takes note of what a failure says about the upstream.
    ///
    /// - Returns: the failure, fit for a client.
    private func attributed(_ error: any Error, to upstream: Upstream, for model: String) -> any Error {
        guard let failure = error as? Failure else { return error }
        if OutcomeClassifier.outcome(of: failure) == .modelUnavailable {
            route.directory.refuse(model, at: upstream.index)
        }
        // Errors within a stream or in place of an answer come without a refusal's status.
        return upstream.backend.withoutKey(failure)
    }

    // MARK: What is asked

    private var deadline: Duration { context.arrival + (request.isStreaming ? limits.request : limits.nonStreaming) }

    private func envelope(naming model: String) -> ChunkEnvelope {
        ChunkEnvelope(name: response, created: Int(time.wallClock()), model: model)
    }

    private func routed(_ calls: ChatCalls) -> RoutedRequest {
        RoutedRequest(
            accepts: calls.target.accepts, model: calls.target.serving.id, arrival: context.arrival,
            deadline: calls.callContext.deadline,
            isStreaming: request.isStreaming, client: context.record.key ?? "", history: history, trace: context.trace)
    }

    /// What the upstreams of `model` are called with.
    private func calls(for model: String) throws(Failure) -> ChatCalls {
        let catalog = route.directory.catalog
        let target = try catalog.resolve(model, for: .chat)
        if model != request.model { context.trace.append(.fellBack(to: model)) }
        // A fallback reads it again: keeping every request in its parsed form, for the one that needs it, would cost all of them.
        let root = if let parsed = root.take() { parsed } else { try RequestField(body: request.received) }
        return try ChatCalls(
            request, root, for: target, named: model, isTranslated: catalog.hasForm(.oci, in: target),
            quirks: route.quirks, limits: limits,
            callContext: ChatCall.CallContext(
                limits: limits, time: time, deadline: deadline, envelope: envelope(naming: model),
                includesUsage: request.includesUsage,
                choices: request.choices, executor: context.connection.executor))
    }
}
