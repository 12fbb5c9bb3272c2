import NIOCore
import NIOHTTP1
import ProxyRouting
import Synchronization

/// `/v1/images/*`, `/v1/audio/*` and `/v1/moderations`: requests that pass to a provider of the model that they name as they are, and so do their answers, whatever
/// they are.
struct ForwardRoute: Sendable {
    let chat: ChatCompletionsRoute

    /// What stands behind the first segment.
    static let images: Set<String> = ["generations", "edits", "variations"]
    static let audio: Set<String> = ["speech", "transcriptions", "translations"]

    /// - Parameters:
    ///   - folder: the first segment.
    ///   - known: what may stand behind it.
    nonisolated(nonsending) func respond(_ context: RequestContext, in folder: String, _ known: Set<String>)
        async throws
    {
        guard let rest = context.rest, known.contains(rest) else {
            throw Failure.unknownPath(RequestTarget.withoutQuery(context.request.head.uri))
        }
        try await respond(context, to: "/\(folder)/\(rest)")
    }

    /// - Parameter path: the end of the provider's, with a slash.
    nonisolated(nonsending) func respond(_ context: RequestContext, to path: String) async throws {
        let type = context.request.head.headers.value(of: "content-type") ?? "application/json"
        let (named, rest) = try await named(context, type)
        defer { if let rest { context.record.received += rest.taken } }
        context.record.model = named.name
        context.trace.ask(for: named.name)
        let catalog = chat.directory.catalog
        let target = try catalog.resolve(named.name, for: .chat, by: context.caller)
        catalog.noteSuccessor(of: named.name, in: context.trace)
        let providers = catalog.taking(.openAI, of: target)
        guard !providers.isEmpty else {
            throw Failure.notFoundAtOCI(named.name, path)
        }
        let body = named.body(naming: target.modelID)
        // A form may have taken its time to name the model.
        let request = routed(to: providers, target, since: chat.time.now(), within: chat.limits.nonStreaming, context) {
            estimate(of: named, rest, for: path, by: $0, context)
        }
        let document = CallDocument.forward(
            .POST, path: path, body,
            headers: [
                NativeHeader(name: "content-type", value: type),
                NativeHeader(name: "accept", value: context.request.head.headers.value(of: "accept") ?? "*/*"),
                NativeHeader(name: "accept-encoding", value: "identity"),
            ])
        try await answer(
            document, rest.map { FormRest(body: $0, longer: body.count - named.count, watch: named.watch) },
            request, context)
    }

    /// What the request may use, where somebody is charged for it.
    private func estimate(
        of named: NamedModel, _ rest: RestOfBody?, for path: String, by pricing: Pricing?, _ context: RequestContext
    ) -> CallEstimate {
        guard context.prices != nil else { return .none }
        return .known(
            UsageEstimate(
                forwarding: named.size, to: path, body: rest.map { $0.length ?? Self.longestForm } ?? named.count,
                countsCharacters: pricing?.isByCharacters == true))
    }

    /// The rest of a form that is passed on as it comes.
    private final class FormRest: Sendable {
        let body: RestOfBody
        /// Bytes by which the model's other name makes the form longer.
        let longer: Int
        /// Sees to it that no other model follows.
        private let watch: Mutex<FormWatch?>

        init(body: RestOfBody, longer: Int, watch: FormWatch?) {
            self.body = body
            self.longer = longer
            self.watch = Mutex(watch)
        }

        func look(at piece: ByteBuffer) throws(Failure) {
            let isSecond = watch.withLock { $0?.finds(in: piece.readableBytesView) ?? false }
            if isSecond { throw .secondModelInForm }
        }
    }

    /// Finds the model that the request names. In a form the field may stand behind a file: then the form is kept as far as that, which takes its room.
    ///
    /// - Returns: also what follows of the body; nil when that is all.
    private nonisolated(nonsending) func named(_ context: RequestContext, _ type: String) async throws -> (
        NamedModel, RestOfBody?
    ) {
        var body = context.request.body
        guard let rest = context.request.rest else {
            return (try await LargeWork.run(on: body.count) { try NamedModel(in: body, contentType: type) }, nil)
        }
        var next = 0
        while true {
            if body.count >= next {
                let gathered = body
                let named = try await LargeWork.run(on: body.count) {
                    try NamedModel.look(in: gathered, contentType: type)
                }
                if let named { return (named, rest) }
                next = 2 * body.count
            }
            guard let piece = try await Self.next(of: rest) else {
                return (try NamedModel(in: body, contentType: type), nil)
            }
            guard context.request.ticket.claim(bodyBytes: piece.readableBytes) else { throw Failure.noRoomForForm }
            body.append(contentsOf: piece.readableBytesView)
        }
    }

    private static nonisolated(nonsending) func next(of rest: RestOfBody) async throws -> ByteBuffer? {
        do { return try await rest.next() } catch let fault as RequestFault { throw Failure.of(fault) }
    }

    /// Has the tokens of a request counted by a provider that speaks its API.
    ///
    /// - Parameter name: the model's, as it is looked up.
    /// - Returns: whether one has answered. If not, nothing has been sent.
    nonisolated(nonsending) func counts(_ native: NativeRequest, named name: String, _ context: RequestContext)
        async throws -> Bool
    {
        let catalog = chat.directory.catalog
        guard let target = try? catalog.resolve(name, for: .chat, by: context.caller) else { return false }
        // OCI counts nothing.
        let speaking = catalog.speaking(native.dialect, of: target, in: .openAI)
        guard !speaking.isEmpty else { return false }
        context.record.model = native.request.model
        let end = native.dialect == .messages ? "/count_tokens" : "/input_tokens"
        let document = CallDocument.forward(
            .POST, path: native.dialect.path + end, native.request.body(model: target.modelID),
            headers: [NativeHeader(name: "content-type", value: "application/json")] + native.headers)
        do {
            try await answer(
                document, nil, routed(to: speaking, target, since: context.arrival, within: Self.patience, context),
                context)
            return true
        } catch is Failure where context.record.sent == 0 {
            // Not all have it, and a guess is better than none.
            return false
        }
    }

    /// Calls the upstream at which a response is kept, in the client's words.
    ///
    /// - Parameter path: the end of its path, with a slash.
    /// - Returns: false when the response is not there. Then nothing has been sent.
    nonisolated(nonsending) func call(_ context: RequestContext, at maker: ResponseMakers.Maker, _ path: String)
        async throws -> Bool
    {
        let upstreams = chat.directory.catalog.upstreams(at: maker.home)
        guard !upstreams.isEmpty else { return false }
        let head = context.request.head
        let query = head.uri.firstIndex(of: "?").map { String(head.uri[$0...]) } ?? ""
        let document = CallDocument.forward(
            head.method == .HEAD ? .GET : head.method, path: path + query, nil,
            headers: [NativeHeader(name: "accept-encoding", value: "identity")])
        let request = RoutedRequest(
            accepts: upstreams, model: maker.model, arrival: context.arrival,
            deadline: context.arrival + chat.limits.nonStreaming, client: context.record.key ?? "",
            trace: context.trace, charge: nil, estimate: .none)
        return try await answer(document, nil, request, missing: maker.name, context)
    }

    /// Clients ask for it before each of their requests.
    private static let patience = Duration.seconds(10)

    private func routed(
        to providers: UpstreamSet, _ target: ModelCatalog.Target, since arrival: Duration, within limit: Duration,
        _ context: RequestContext, estimate: (Pricing?) -> CallEstimate = { _ in .none }
    ) -> RoutedRequest {
        let catalog = chat.directory.catalog
        let pricing = context.prices?.pricing(
            asked: context.record.model, for: target.serving.id, of: catalog.provider(of: target), in: catalog)
        return RoutedRequest(
            accepts: providers, model: target.serving.id, arrival: arrival, deadline: arrival + limit,
            client: context.record.key ?? "", trace: context.trace, charge: context.charge,
            estimate: estimate(pricing), pricing: pricing)
    }

    /// One provider after the other, until one answers.
    ///
    /// - Parameters:
    ///   - rest: what follows the document, as it comes: once it has been begun, nobody else can be asked.
    ///   - missing: what is asked for is kept by the upstream, and may not be there (any more), which speaks against nobody. The name of the model that it is told of.
    /// - Returns: whether it is there. If not, nothing has been sent.
    @discardableResult
    private nonisolated(nonsending) func answer(
        _ document: CallDocument, _ rest: FormRest?, _ request: RoutedRequest, missing name: String? = nil,
        _ context: RequestContext
    ) async throws -> Bool {
        let taken = rest?.body.taken
        let attempts = chat.failover.attempts(of: request)
        while true {
            let attempt = try await attempts.next()
            let backend = attempt.upstream.backend
            let deadline = MovingDeadline(at: request.deadline, for: .request, on: chat.time)
            deadline.arm()
            let upload = rest.map { self.upload($0, before: deadline) }
            defer { upload?.close() }
            do {
                var request = try await backend.request(document, isStreaming: false, until: deadline)
                request.rest = upload
                let call = attempt.report.watching(request)
                let isThere = try await beside(upload) {
                    let head = try await backend.send(call, until: deadline)
                    let isThere = name == nil || head.status != 404
                    if isThere {
                        let response = try await backend.successful(head, noting: attempt.report)
                        await attempt.begun()
                        try await pass(response, naming: name, until: deadline, attempt.report, context)
                    } else {
                        await attempt.begun()
                    }
                    return isThere
                }
                deadline.disarm()
                await attempt.end()
                return isThere
            } catch {
                deadline.disarm()
                try await meet(error, attempt, rest, wasBegun: rest?.body.taken != taken, context)
                try await attempts.failed(attempt, with: error)
            }
        }
    }

    /// Does `work` while the rest of a form is sent.
    private nonisolated(nonsending) func beside(
        _ upload: RequestUpload?, _ work: nonisolated(nonsending) () async throws -> Bool
    ) async throws -> Bool {
        guard let upload else { return try await work() }
        return try await withThrowingTaskGroup(of: Void.self, returning: Bool.self) { group in
            // Whoever has answered needs no more.
            defer { group.cancelAll() }
            group.addTask { await upload.run() }
            return try await work()
        }
    }

    /// As long as the client sends, the upstream has nothing to answer. But what it has promised it is not waited for longer than any client may take.
    private func upload(_ rest: FormRest, before deadline: MovingDeadline) -> RequestUpload {
        let limit = chat.limits.nonStreaming
        let length = rest.body.length ?? Self.longestForm
        let end = chat.time.now() + limit + .seconds(Int64(length / Self.slowestForm))
        return RequestUpload(rest.body, length: rest.body.length.map { $0 + rest.longer }) { [time = chat.time] piece in
            try rest.look(at: piece)
            deadline.move(to: min(time.now() + limit, end), for: .request)
        }
    }

    /// Bytes of a form whose length nobody has told, at most.
    private static let longestForm = 32 << 20
    /// Bytes a second that a form brings at least, beyond `request_timeout`: it holds a permit, which others wait for.
    private static let slowestForm = 64 << 10

    /// What a failure means where a part has been sent: to the client, or of its form to the upstream.
    ///
    /// - Throws: what the request ends with; nothing when another upstream may be asked.
    private nonisolated(nonsending) func meet(
        _ error: any Error, _ attempt: Attempt, _ rest: FormRest?, wasBegun: Bool, _ context: RequestContext
    ) async throws {
        if let fault = error as? RequestFault {
            // The client's doing.
            await attempt.end(after: CancellationError())
            throw Failure.of(fault)
        }
        if context.record.sent > 0 {
            // Half of a picture is none: the client sees that the connection ends.
            await attempt.end(after: error)
            context.connection.channel.close(promise: nil)
            throw CancellationError()
        }
        guard let rest, wasBegun else { return }
        // What the client has sent is gone, so nobody else can be asked. An upstream that tires of waiting for the client is not to blame.
        let isTired =
            !rest.body.isRead
            && (error is TransportError || error is MovingDeadline.Exceeded
                || (error as? Failure)?.upstreamStatus == 408)
        let failure = await attempt.end(after: isTired ? CancellationError() : error).failure
        if isTired, error is MovingDeadline.Exceeded { throw Failure.bodyTimedOut }
        try Task.checkCancellation()
        if let failure = failure ?? UpstreamFault.failure(error, account: attempt.upstream.id) { throw failure }
        throw CancellationError()
    }

    /// Passes the answer on as it comes, no faster than the client takes it; a document that tells of a model, with the client's name for it.
    private nonisolated(nonsending) func pass(
        _ response: TransportResponse, naming name: String?, until deadline: MovingDeadline, _ report: AttemptReport,
        _ context: RequestContext
    ) async throws {
        var headers: HTTPHeaders = [:]
        for name in ["content-type", "content-disposition", "cache-control"] {
            if let value = response.headers.first(name: name) { headers.add(name: name, value: value) }
        }
        if let name, !response.isLabelledAsStream {
            var body = try await response.collect(upTo: chat.limits.answer)
            if let root = try? JSONDocument(parsing: body).root, root.kind == .object {
                body = ModelMember.replace(in: body, parsed: root, with: name)
            }
            return context.send(Response(status: .ok, headers: headers, body: ByteBuffer(bytes: body)))
        }
        let stream = EventStream(
            on: context.connection, headers: context.decorated(headers), keepAliveInterval: .zero,
            keepAlive: { _, _ in [] })
        context.record.status = 200
        var usage = PassingUsage(contentType: response.headers.first(name: "content-type"))
        var pieces = response.body.makeAsyncIterator()
        while let piece = try await pieces.next(isolation: nil) {
            if usage != nil {
                usage?.take(piece.readableBytesUInt8Span)
                report.change { [told = usage?.usage] in $0.usage = told }
            }
            context.record.sent += piece.readableBytes
            deadline.move(to: chat.time.now() + chat.limits.idleTimeout, for: .idleTimeout)
            try await stream.send(piece, until: deadline)
        }
        stream.finish()
    }
}

extension Failure {
    /// A form that has to be kept finds no room.
    fileprivate static let noRoomForForm = Failure(
        .overloaded(.bodyMemory),
        "The memory for request bodies is in use by other requests. Try again in a moment, or send the field 'model' before the file: then the form need not be kept.",
        retryAfter: 1)

    /// 400: a model of OCI has no such call.
    fileprivate static func notFoundAtOCI(_ model: String, _ path: String) -> Failure {
        .invalidRequest(
            "The model '\(model.quotable)' is not served by a provider that has \(path). Name a provider's model.",
            field: "model", as: .unsupportedModel)
    }
}
