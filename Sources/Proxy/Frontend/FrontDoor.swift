import Logging
import NIOCore
import NIOHTTP1

/// Where every request comes in. Read `screen`, then `respond`: that is a request's life in this process.
///
/// A door belongs to one configuration. After a reload there is another one for new requests (`Doors`); who came in by this one is
/// answered by it.
final class FrontDoor: Sendable {
    let keys: ClientKeys
    let localAccess: LocalAccess
    let cors: CORS
    /// Of the file's mode; its users know refusals in another form.
    let isAggregator: Bool
    let limits: Limits
    /// Of all doors of the process.
    let rates: RequestRates
    /// Of all doors as well.
    let claims: RequestClaims
    let routes: Routes
    let counters: RequestCounters
    let drain: Drain
    let time: TimeSource
    let logger: Logger

    init(
        keys: ClientKeys, localAccess: LocalAccess, cors: CORS, isAggregator: Bool = false, limits: Limits, rates: RequestRates, claims: RequestClaims = RequestClaims(), routes: Routes,
        counters: RequestCounters, drain: Drain = Drain(), time: TimeSource, logger: Logger
    ) {
        self.keys = keys
        self.localAccess = localAccess
        self.cors = cors
        self.isAggregator = isAggregator
        self.limits = limits
        self.rates = rates
        self.claims = claims
        self.routes = routes
        self.counters = counters
        self.drain = drain
        self.time = time
        self.logger = logger
    }

    /// What answers behind the door.
    struct Routes: Sendable {
        let root: RootRoute
        let health: HealthRoute
        let chat: ChatCompletionsRoute
        let embeddings: EmbeddingsRoute
        let rerank: RerankRoute
        let models: ModelsRoute
        let testOCI: TestOCIRoute
        let statistics: StatisticsRoute
        let metrics: MetricsRoute
        let admin: AdminRoute
        let reload: ReloadRoute
    }

    /// What clients may ask of the process at once.
    struct Limits: Sendable {
        /// Bytes of a request's body.
        var body: Int
        /// Open connections.
        var connections: Int
        /// For requests that run when the process is told to stop.
        var shutdownGrace = Duration.seconds(30)
        /// Of one key; 0 is no limit.
        var requestsPerMinute = 0
        /// Bytes of all bodies and what becomes of them.
        var bodyMemory = Int.max
        /// Of one key at once, waiting ones included; 0 is no limit.
        var requestsPerKey = 0
    }

    /// Decides by the head alone whether a request's body is worth reading. Runs on the event loop: no waiting in here.
    func screen(_ head: HTTPRequestHead) -> Admission {
        // Before anything looks at it, be it a path or a query.
        guard head.uri.utf8.count <= Route.longestTarget else { return .refuse(.targetTooLong) }
        if head.method == .OPTIONS { return .preflight }
        guard let route = Route(target: head.uri) else { return .refuse(.unknownPath(Route.withoutQuery(head.uri))) }
        guard route.methods.contains(head.method) else { return .refuse(.methodNotAllowed(head.method, allowed: route.methods)) }
        guard route.access == .key else { return .admit(route) }
        switch keys.verdict(on: head.headers) {
        case .holder(let name):
            if let standing = rates.refusal(of: name, limit: limits.requestsPerMinute, at: time.now()) {
                return .refuse(.rateLimited(standing))
            }
            if head.method == .POST, let coding = Self.packing(of: head) { return .refuse(.packedBody(coding)) }
            return .admit(route, key: name)
        case .none: return .refuse(worded(.noKey))
        case .wrong: return .refuse(worded(.wrongKey))
        }
    }

    /// How the body is packed, if it is (docs/decisions/0023).
    private static func packing(of head: HTTPRequestHead) -> String? {
        head.headers.first(name: "content-encoding").flatMap { $0.isEmpty || $0.lowercased() == "identity" ? nil : $0 }
    }

    /// Decides whether there is room for an admitted request, and takes it.
    ///
    /// - Parameter length: bytes of its body, when they are announced.
    /// - Returns: why there is none.
    func claim(for admission: Admission, bodyLength length: Int?, _ claim: inout RequestClaims.Claim) -> APIError? {
        // Whoever has no key may send no more than a few kilobytes, and they are not for the budget: it would be anybody's to take.
        guard case .admit(_, let key?) = admission, admission.readsBody else { return nil }
        // What is too long is refused for that.
        if let length, length > bodyLimit(of: admission) { return nil }
        if !claims.take(key, limit: limits.requestsPerKey, for: &claim) { return .tooManyAtOnce(limit: limits.requestsPerKey) }
        return claimBody(length ?? 0, for: admission, &claim)
    }

    /// Takes room for more of a body.
    func claimBody(_ length: Int, for admission: Admission, _ claim: inout RequestClaims.Claim) -> APIError? {
        guard length > 0, case .admit(_, let key?) = admission else { return nil }
        let isTaken = claims.take(bodyBytes: length, limit: limits.bodyMemory, owner: keys.count > 1 ? key : nil, for: &claim)
        return isTaken ? nil : .bodiesTooLarge(limit: limits.bodyMemory)
    }

    /// A body that nothing is read from. Requests for the operator need no key before their peer has been looked at, so none of them may
    /// make the process keep much.
    private static let idleBody = 8 * 1024

    /// Bytes that the body of a request may have.
    func bodyLimit(of admission: Admission) -> Int {
        switch admission {
        case .admit(.chatCompletions, _), .admit(.embeddings, _), .admit(.rerank, _), .refuse: limits.body
        case .admit, .preflight: min(Self.idleBody, limits.body)
        }
    }

    /// Answers one request. Returns when the answer has been handed to the connection, or the client has left, which
    /// cancels the task.
    nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async {
        let exchange = exchange(with: request, on: connection)
        do {
            if request.suitsEventLoop {
                if try admit(exchange) { try await routes.chat.respond(exchange) }
            } else if request.asksForHealth {
                try await answerHealth(exchange)
            } else {
                try await answer(exchange)
            }
        } catch {
            say(error, exchange)
        }
        finish(exchange)
    }

    // What a stream does not need is kept out of the frame of the one that waits for it: it is held as long as the stream lasts.

    @inline(never)
    private func exchange(with request: ClientRequest, on connection: ClientConnection) -> Exchange {
        let decoration = Decoration(for: request.head, cors: cors, wallClock: time.wallClock())
        return Exchange(request, on: connection, decoration: decoration, at: time.now())
    }

    @inline(never)
    private func say(_ error: any Error, _ exchange: Exchange) {
        if let error = exchange.lastWords(after: error) {
            exchange.record.error = error.code
            exchange.send(Answer(worded(error)))
        } else {
            exchange.record.clientLeft = true
        }
    }

    @inline(never)
    private func finish(_ exchange: Exchange) {
        exchange.request.giveBackClaim()
        finish(exchange.record, took: time.now() - exchange.arrival)
    }

    /// Where it comes in: whoever watches the proxy is not to wait for a thread that others keep busy.
    @inline(never)
    private nonisolated(nonsending) func answerHealth(_ exchange: Exchange) async throws {
        if try admit(exchange) { exchange.send(await routes.health.answer()) }
    }

    /// Off the event loop.
    @inline(never)
    private nonisolated(nonsending) func answer(_ exchange: Exchange) async throws {
        try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await admitOperator(exchange)
            if try admit(exchange) { try await answerAdmitted(exchange) }
        }
    }

    /// A missing or wrong key, as the users of the file's mode know it.
    private func worded(_ error: APIError) -> APIError { isAggregator && error.status == 401 ? error.asHTTPError : error }

    /// Counts a request that has ended, and writes its line.
    private func finish(_ record: AccessRecord, took duration: Duration) {
        counters.count(route: Route(target: record.path)?.label ?? "other", status: record.finalStatus)
        record.log(to: logger, duration: duration)
    }

    /// - Returns: whether a route is to answer.
    /// - Throws: why none will.
    @inline(never)
    private func admit(_ exchange: Exchange) throws(APIError) -> Bool {
        switch exchange.request.admission {
        case .admit(_, let key):
            if let key {
                exchange.record.key = key
                try charge(key, exchange)
            }
            return true
        case .preflight:
            exchange.send(cors.preflight(exchange.request.head))
            return false
        case .refuse(let error): throw error
        }
    }

    private nonisolated(nonsending) func answerAdmitted(_ exchange: Exchange) async throws {
        guard case .admit(let route, _) = exchange.request.admission else { return }
        switch route {
        case .root: exchange.send(routes.root.answer())
        case .health: exchange.send(await routes.health.answer())
        case .chatCompletions: try await routes.chat.respond(exchange)
        case .embeddings: try await routes.embeddings.respond(exchange)
        case .rerank: try await routes.rerank.respond(exchange)
        case .models: exchange.send(await routes.models.list())
        case .model(let id): exchange.send(try await routes.models.one(id))
        case .testOCI: exchange.send(await routes.testOCI.answer())
        case .statistics(let page): exchange.send(await routes.statistics.answer(page))
        case .metrics: exchange.send(await routes.metrics.answer(counters, rates))
        case .reload: exchange.send(try await routes.reload.answer())
        case .refreshModels: exchange.send(try await routes.admin.refreshModels())
        case .resetBreakers:
            exchange.send(try await routes.admin.resetBreakers(Route.query(of: exchange.request.head.uri)))
        }
    }

    /// Takes a request out of its key's minute, and lets the answer say what is left.
    private func charge(_ key: String, _ exchange: Exchange) throws(APIError) {
        guard let standing = rates.take(key, limit: limits.requestsPerMinute, at: time.now()) else { return }
        guard standing.refusedFor == nil else { throw .rateLimited(standing) }
        exchange.decoration.rate = standing
    }

    /// Lets in who has a key, or sits at this machine, where that is asked for. What calls upstreams or reads files costs a request of the
    /// key's minute, as a chat does.
    private nonisolated(nonsending) func admitOperator(_ exchange: Exchange) async throws {
        let request = exchange.request
        guard case .admit(let route, _) = request.admission, route.access == .local else { return }
        switch keys.verdict(on: request.head.headers) {
        case .holder(let name):
            exchange.record.key = name
            if route == .testOCI || route == .reload { try charge(name, exchange) }
        case .wrong: throw APIError.wrongKey
        case .none:
            // Who has left already is not worth a look.
            try Task.checkCancellation()
            if let objection = await localAccess.objection(to: request.head, from: request.peer) { throw APIError.notLocal(objection) }
        }
    }

    /// The answer to a request that the connection refuses by itself, logged like any other.
    func refusal(_ error: APIError, to head: HTTPRequestHead?, from peer: ClientRequest.Peer) -> Answer {
        let decoration = Decoration(for: head, cors: cors, wallClock: time.wallClock())
        var record = AccessRecord(id: decoration.requestID, method: head?.method.rawValue ?? "-", target: head?.uri ?? "-")
        record.status = error.status
        record.error = error.code
        if error.rate != nil, let head, case .holder(let name) = keys.verdict(on: head.headers) { record.key = name }
        finish(record, took: .zero)
        var answer = Answer(error)
        if error.status == 405, let head, let route = Route(target: head.uri) {
            answer.headers.add(name: "allow", value: route.methods.map(\.rawValue).joined(separator: ", "))
        }
        decoration.apply(to: &answer)
        return answer
    }
}

extension ClientRequest {
    /// Bytes of a body that is read and translated in some microseconds.
    private static let smallBody = 32 * 1024

    /// Whether it is a chat that keeps the event loop no longer than serving its connection does. Signatures leave the loop by themselves.
    fileprivate var suitsEventLoop: Bool {
        if case .admit(.chatCompletions, _) = admission { body.count <= Self.smallBody } else { false }
    }

    fileprivate var asksForHealth: Bool {
        if case .admit(.health, _) = admission { true } else { false }
    }
}
