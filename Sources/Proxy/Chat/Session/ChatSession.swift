import NIOCore
import NIOHTTP1
import ProxyRouting

/// One chat, from its request to the last byte of its answer. Read `begin` for who is asked: for each model, each of its upstreams.
///
/// It belongs to the task of its request. A class, since it is at hand in each step: the memory of a task holds it once.
final class ChatSession {
    let route: ChatCompletionsRoute
    let context: RequestContext
    /// What is asked, as a chat completion's request.
    let request: PassThroughRequest
    let call: Int
    /// Why it cannot be a chat completion's, if it cannot: then it only goes to who speaks its own language.
    private let untranslatable: Failure?
    /// How the client is told.
    private let client: any ClientDialect
    /// The request's body, parsed, until the first call has been written.
    private var root: RequestField?
    /// What may answer in the model's place.
    let fallbacks: [String]
    /// Nil when there are none.
    private let history: RequestHistory?
    /// What a stream that had begun has ended with, the first time.
    var firstBreak: Failure?
    var rescue: RescuePlan?
    /// What it may use.
    let estimate: CallEstimate
    /// Who has broken off, or has been asked to go on, by model: none of them is to repeat the answer.
    var asked: [String: UpstreamSet] = [:]

    private var limits: ChatCompletionsRoute.Limits { route.limits }
    var time: TimeSource { route.time }

    /// A chat in chat completions' own language.
    ///
    /// - Throws: `Failure` 400 for a body that cannot be read.
    convenience init(_ body: [UInt8], for context: RequestContext, by route: ChatCompletionsRoute) throws(Failure) {
        let root = try RequestField(body: body)
        let request = try PassThroughRequest(root, of: body)
        let envelope = ChunkEnvelope(created: Int(route.time.wallClock()), model: request.model)
        self.init(
            request, root, from: ChatCompletionsDialect(envelope, includesUsage: request.includesUsage), for: context,
            by: route)
    }

    /// A chat in another language.
    ///
    /// - Parameters:
    ///   - asked: a chat completion's request that means the same.
    ///   - call: its number among those that the request makes side by side.
    /// - Throws: `Failure` 400, in the client's words.
    convenience init(
        asked: [UInt8], from client: any ClientDialect, for context: RequestContext, by route: ChatCompletionsRoute,
        call: Int = 0
    ) throws(Failure) {
        do throws(Failure) {
            let root = try RequestField(body: asked)
            self.init(try PassThroughRequest(root, of: asked), root, from: client, for: context, by: route, call: call)
        } catch {
            throw client.worded(error)
        }
    }

    /// A request that only an upstream that speaks its own language can take.
    ///
    /// - Parameter failure: why it is no chat; what the client gets where nobody speaks that language.
    convenience init(
        _ native: NativeRequest, since failure: Failure, from client: any ClientDialect, for context: RequestContext,
        by route: ChatCompletionsRoute
    ) throws(Failure) {
        self.init(
            native.request, try RequestField(body: native.request.received), from: client, for: context, by: route,
            untranslatable: failure)
    }

    /// - Parameter root: the request's body, parsed.
    private init(
        _ request: PassThroughRequest, _ root: RequestField, from client: any ClientDialect,
        for context: RequestContext, by route: ChatCompletionsRoute, call: Int = 0,
        untranslatable: Failure? = nil
    ) {
        self.call = call
        self.untranslatable = untranslatable
        self.request = request
        self.client = client
        self.root = root
        self.context = context
        self.route = route
        fallbacks = route.fallbacks(of: request.model, for: context.caller)
        history = fallbacks.isEmpty ? nil : RequestHistory()
        context.record.model = request.model
        context.record.isStreaming = request.isStreaming
        context.trace.ask(for: request.model, isStreaming: request.isStreaming)
        guard context.prices != nil else {
            estimate = .none
            return
        }
        // What is large is read once, and where that belongs.
        estimate =
            context.charge == nil && request.received.count < LargeWork.threshold / 4
            ? .chat(request.received, characters: nil)
            : .known(
                UsageEstimate(
                    prompt: PromptSize.tokens(of: root.value),
                    completion: Self.limit(in: root, else: route.limits.maxTokens)
                        * Self.answers(to: root, choices: request.choices)))
    }

    /// The most that is wanted of an answer, in tokens: upstreams differ in which of several limits they heed.
    private static func limit(in root: RequestField, else standard: Int) -> Int {
        let limits = (["max_completion_tokens", "max_tokens", "max_output_tokens"] as [StaticString]).compactMap {
            root.value.present($0)?.int.flatMap { $0 > 0 ? $0 : nil }
        }
        return limits.max().map { min($0, 10_000_000) } ?? standard
    }

    /// How many are made: of completions, some for each prompt, of which the best are told.
    private static func answers(to root: RequestField, choices: Int) -> Int {
        let best = min(root.value.present("best_of")?.int ?? 1, ChoiceProgress.mostChoices)
        let prompts = root.value.present("prompt").map { prompt in
            prompt.elements.first { _ in true }?.kind == .number ? 1 : prompt.elements.reduce(0) { sum, _ in sum + 1 }
        }
        return max(choices, best, 1) * min(max(prompts ?? 1, 1), mostPrompts)
    }

    private static let mostPrompts = 2048

    nonisolated(nonsending) func run() async throws {
        if request.isStreaming { try await stream() } else { try await document() }
    }

    /// The whole answer, which is not sent.
    ///
    /// - Throws: as the client knows it.
    @inline(never)
    nonisolated(nonsending) func response() async throws -> ClientResponse {
        do {
            let begun = try await begin { call, backend, report in try await call.document(at: backend, report) }
            await begun.attempt.end()
            return begun.success
        } catch let failure as Failure {
            if failure.kind == .failed(.empty), client.acceptsSilence { return silence() }
            throw client.worded(failure)
        }
    }

    // MARK: The two ways to answer

    @inline(never)
    private nonisolated(nonsending) func document() async throws {
        var answer = Response.json(try await response().body)
        answer.headers.add(contentsOf: client.headers)
        context.send(answer)
    }

    @inline(never)
    private nonisolated(nonsending) func stream() async throws {
        let stream = open()
        defer { context.record.sent = stream.sent }
        do {
            try await finish(try await begun(stream), stream)
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

    /// The rest of it, by whoever can tell it.
    @inline(never)
    private nonisolated(nonsending) func finish(_ begun: Begun<LiveStream?>, _ stream: EventStream) async throws {
        var begun = begun
        while true {
            switch await begun.success?.finish() ?? .complete {
            case .complete: return await begun.attempt.end()
            case .failed(let error): begun = try await goOn(behind: begun, after: error, stream)
            }
        }
    }

    private func open() -> EventStream {
        let client = client
        var headers = Self.streamHeaders
        headers.add(contentsOf: client.headers)
        let stream = EventStream(
            on: context.connection, headers: context.decorated(headers), keepAliveInterval: limits.keepAlive,
            charge: context.charge, route: context.decoration.route,
            keepAlive: { client.keepAlive($0, id: $1) })
        stream.open()
        return stream
    }

    @inline(never)
    private nonisolated(nonsending) func fail(_ stream: EventStream, after error: any Error) async throws {
        guard let failure = context.terminalError(after: error) else {
            stream.abandon()
            throw error
        }
        if failure.kind == .failed(.empty), client.acceptsSilence {
            stream.send(last: ByteBuffer(bytes: silence()))
            stream.finish()
            context.record.status = 200
            return
        }
        let client = client
        let clientError = client.error(client.worded(failure))
        context.record.error = clientError.code
        context.record.status = try await stream.fail(
            failure, context.decorated(clientError.response), orEvent: { client.errorEvent(failure) })
    }

    // MARK: An answer that says nothing

    private func silence() -> ClientResponse { Self.silence(client.document(), context.trace.summary.usage) }
    private func silence() -> [UInt8] { Self.silence(client.stream(), context.trace.summary.usage) }

    private static func silence(_ document: some ChatDocumentSink, _ usage: TokenUsage?) -> ClientResponse {
        var document = document
        tell(silence: usage, to: &document)
        return document.written(capacity: 512)
    }

    private static func silence(_ stream: some ChatByteSink, _ usage: TokenUsage?) -> [UInt8] {
        var stream = stream
        tell(silence: usage, to: &stream)
        return stream.bytes
    }

    private static func tell(silence usage: TokenUsage?, to sink: inout some ChatEventSink) {
        sink.begin(choice: 0)
        sink.finish(.stop, choice: 0)
        if let usage { sink.usage(usage) }
        sink.end()
    }

    static let streamHeaders: HTTPHeaders = [
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // Tells nginx in front of us not to gather events.
        "x-accel-buffering": "no",
    ]

    // MARK: Who is asked

    /// An answer, or its beginning, and the attempt that brings it.
    struct Begun<Success> {
        let success: Success
        let attempt: Attempt
        /// The model's id at its upstream.
        let model: String
        /// The same as the client or a fallback names it.
        var name = ""
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
            } catch let failure as Failure
                where mayAskAnotherModel(after: failure) || first != nil && failure.kind.isOfKeysMeans
            {
                // What the key cannot afford of another model is passed over: a next one may be cheaper.
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
                return Begun(
                    success: success, attempt: attempt, model: calls.target.serving.id, name: calls.name)
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
                    try calls.call(to: backend)
                }
                let success = try await way(call, backend, attempt.report)
                calls.keepLessons()
                return success
            } catch {
                if let failure = error as? Failure, attempt.report.content.firstEvent == nil,
                    calls.isNative(backend)
                        ? calls.learnsToTranslate(from: failure, of: backend)
                        : calls.learn(from: failure, in: backend.chatForm) || calls.truncates(after: failure)
                {
                    attempt.report.beginAnew()
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
    func attributed(_ error: any Error, to upstream: Upstream, for model: String) -> any Error {
        guard let failure = error as? Failure else { return error }
        if OutcomeClassifier.outcome(of: failure) == .modelUnavailable {
            route.directory.refuse(model, at: upstream.index)
        }
        // Errors within a stream or in place of an answer come without a refusal's status.
        return upstream.backend.withoutKey(failure)
    }

    // MARK: What is asked

    private var deadline: Duration { context.arrival + (request.isStreaming ? limits.request : limits.nonStreaming) }

    private func routed(_ calls: ChatCalls) -> RoutedRequest {
        RoutedRequest(
            accepts: calls.target.accepts, model: calls.target.serving.id, arrival: context.arrival,
            deadline: calls.callContext.deadline,
            isStreaming: request.isStreaming, client: context.record.key ?? "", history: history, trace: context.trace,
            call: call, charge: context.charge, estimate: estimate.counting(characters: calls.characters),
            pricing: calls.pricing)
    }

    /// Some providers take a list of other models beside the one that is named (`models`). A key that is bound to models may name none there either that it may not
    /// use.
    private func admitOthers(than model: String, in root: RequestField, of target: ModelCatalog.Target)
        throws(Failure)
    {
        guard let caller = context.caller, caller.isBoundToModels,
            let provider = route.directory.catalog.provider(of: target)
        else { return }
        let native = (client.native?.request.received).flatMap { try? JSONDocument(parsing: $0).root }
        for list in [root.value["models"], native?["models"]] {
            for element in list?.elements.map({ $0 }) ?? [] {
                guard let name = element.string else { continue }
                guard caller.mayUse(anyOf: [name, "\(provider)/\(name)"]) else {
                    throw .forbiddenModel(name, to: caller)
                }
            }
        }
    }

    /// What the upstreams of `model` are called with.
    ///
    /// - Parameter asked: in place of the request, to go on with an answer.
    func calls(for model: String, asking asked: PassThroughRequest? = nil) throws(Failure) -> ChatCalls {
        let catalog = route.directory.catalog
        var target = try catalog.resolve(model, for: .chat, by: context.caller)
        if let untranslatable {
            var speaking = (client.native?.dialect).map { catalog.speaking($0, of: target) } ?? UpstreamSet()
            if let home = client.native?.home { speaking = catalog.upstreams(at: home, among: speaking) }
            guard !speaking.isEmpty, !(request.isStreaming && limits.forcesNonStreaming) else { throw untranslatable }
            target.accepts = speaking
        }
        catalog.noteSuccessor(of: model, in: context.trace)
        if model != request.model, rescue == nil { context.trace.append(.fellBack(to: model)) }
        // A fallback reads it again: keeping every request in its parsed form, for the one that needs it, would cost all of them.
        let root =
            if asked == nil, let parsed = root.take() { parsed } else {
                try RequestField(body: (asked ?? request).received)
            }
        try admitOthers(than: model, in: root, of: target)
        let provider = catalog.provider(of: target)
        let pricing = context.prices?.pricing(asked: model, for: target.serving.id, of: provider, in: catalog)
        let characters = pricing?.isByCharacters == true ? PromptSize.characters(ofChat: root.value) : nil
        return try ChatCalls(
            asked ?? request, root, for: target, named: model, from: provider ?? "",
            characters: characters, pricing: pricing,
            isTranslated: untranslatable == nil && catalog.hasForm(.oci, in: target), untranslatable: untranslatable,
            quirks: route.quirks, limits: limits,
            callContext: ChatCall.CallContext(
                limits: limits, time: time, deadline: deadline, client: client.naming(model),
                choices: request.choices,
                mayBeRescued: request.isStreaming && request.choices == 1 && untranslatable == nil
                    && rescueMode(of: model, target) > .off,
                meter: context.prices == nil ? nil : TextMeter(countsCharacters: characters != nil),
                executor: context.connection.executor))
    }
}
