import Logging
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyRouting
import ProxyTelemetry

/// Where every request comes in. Read `screen`, then `respond`: that is a request's life in this process.
///
/// A door belongs to one configuration. After a reload there is another one for new requests (`CurrentFrontDoor`); who came in by this one is
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
    let endpoints: EndpointTable
    /// What calls are charged by.
    let prices: Prices
    /// Where requests that have ended are told of; nil is nowhere.
    let recorder: (any EntryRecorder)?
    /// That is a ledger: all requests are priced.
    let hasLedger: Bool
    /// Those of all doors that run.
    let running: RunningRequests
    let upstreams: UpstreamNames
    /// Operators who have signed in.
    let sessions: OperatorSessions
    /// Told when a key has spent what it may; nil is nobody.
    let alerts: Alerts?
    /// Nil where nobody traces.
    let tracing: Tracing?
    let traceParent: TraceParentMode
    let counters: RequestCounters
    let drain: Drain
    let time: TimeSource
    let logger: Logger

    init(
        keys: ClientKeys, localAccess: LocalAccess, cors: CORS, isAggregator: Bool = false, limits: Limits,
        rates: RequestRates, claims: RequestClaims = RequestClaims(), endpoints: EndpointTable,
        prices: Prices = Prices(), recorder: (any EntryRecorder)? = nil, hasLedger: Bool = false,
        running: RunningRequests = RunningRequests(),
        upstreams: UpstreamNames = .none, sessions: OperatorSessions = OperatorSessions(), alerts: Alerts? = nil,
        tracing: Tracing? = nil, traceParent: TraceParentMode = .continue, counters: RequestCounters,
        drain: Drain = Drain(), time: TimeSource, logger: Logger
    ) {
        self.running = running
        self.upstreams = upstreams
        self.sessions = sessions
        self.alerts = alerts
        self.tracing = tracing
        self.traceParent = traceParent
        self.keys = keys
        self.localAccess = localAccess
        self.cors = cors
        self.isAggregator = isAggregator
        self.limits = limits
        self.rates = rates
        self.claims = claims
        self.endpoints = endpoints
        self.prices = prices
        self.recorder = recorder
        self.hasLedger = hasLedger
        self.counters = counters
        self.drain = drain
        self.time = time
        self.logger = logger
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

    /// The head of a request is there.
    func receive(_ head: HTTPRequestHead, bodyLength length: Int?, by entrance: Entrance = .only) -> Admission {
        let fields = KnownFields(head.headers)
        let verdict = screen(head, fields, by: entrance)
        var claim = RequestClaims.Claim.none
        var kept = length
        // Of what passes on while it comes, only the beginning is kept.
        if let length, length > 2 * ConnectionHandler.firstPart, length <= bodyLimit(of: verdict),
            Self.streams(verdict, head)
        {
            kept = 2 * ConnectionHandler.firstPart
        }
        guard let failure = self.claim(for: verdict, bodyLength: kept, &claim) else {
            return Admission(verdict, of: head, fields, claim: claim, by: self, entrance)
        }
        claims.giveBack(&claim)
        return Admission(.refused(failure, verdict.caller), of: head, fields, by: self, entrance)
    }

    /// Whether a body passes on while it comes: a form with files, as a rule.
    static func streams(_ verdict: Admission.Verdict, _ head: HTTPRequestHead) -> Bool {
        guard case .admitted(let match, _?) = verdict, match.endpoint.body == .streamed else { return false }
        return head.headers.value(of: "content-type")?.hasPrefixIgnoringCase("multipart/form-data") == true
    }

    /// Decides by the head alone whether a request's body is worth reading. Runs on the event loop: no waiting in here.
    func screen(_ head: HTTPRequestHead, _ fields: KnownFields, by entrance: Entrance = .only) -> Admission.Verdict {
        // Before anything looks at it, be it a path or a query.
        guard head.uri.utf8.count <= RequestTarget.longest else { return .refused(.targetTooLong) }
        if head.method == .OPTIONS { return .preflight }
        guard let match = endpoints.match(head.uri), entrance.serves(match.endpoint) else {
            return .refused(
                .unknownPath(RequestTarget.withoutQuery(head.uri), isForClients: entrance == .clients))
        }
        let endpoint = match.endpoint
        guard endpoint.methods.contains(head.method) else {
            return .refused(.methodNotAllowed(head.method, allowed: endpoint.methods))
        }
        guard endpoint.access == .client else { return .admitted(match, nil) }
        switch keys.verdict(on: fields) {
        case .holder(let caller):
            if let failure = objection(to: caller, at: endpoint) { return .refused(failure, caller) }
            if let standing = rates.refusal(of: caller.name, limit: requestsPerMinute(of: caller), at: time.now()) {
                return .refused(.rateLimited(caller, standing), caller)
            }
            if head.method == .POST, let coding = Self.packing(fields) {
                return .refused(.packedBody(coding), caller)
            }
            return .admitted(match, caller)
        case .none:
            // A dashboard's cookie is no key for models.
            guard !endpoint.isForClients else { return .refused(.noKey) }
            do {
                guard let caller = try viewer(of: head, at: endpoint) else { return .refused(.noKey) }
                return .admitted(match, caller)
            } catch { return .refused(error, nil) }
        case .wrong: return .refused(.wrongKey)
        }
    }

    /// Whose key a request shows that is refused for something else.
    func caller(of head: HTTPRequestHead) -> Caller? {
        guard case .holder(let caller) = keys.verdict(on: head.headers) else { return nil }
        return caller.hasExpired(at: time.wallClock()) ? nil : caller
    }

    /// Why a key does not do here; nil when it does.
    func objection(to caller: Caller, at endpoint: Endpoint) -> Failure? {
        if let expiry = caller.limits.expires, caller.hasExpired(at: time.wallClock()) {
            return .expiredKey(caller, at: expiry)
        }
        return caller.limits.role < endpoint.access.role ? .roleTooSmall(caller, for: endpoint) : nil
    }

    /// 0 is no limit.
    private func requestsPerMinute(of caller: Caller) -> Int {
        caller.limits.requestsPerMinute ?? limits.requestsPerMinute
    }

    /// How the body is packed, if it is (docs/decisions/0023).
    private static func packing(_ fields: KnownFields) -> String? {
        fields.coding.flatMap { $0.isEmpty || $0.lowercased() == "identity" ? nil : $0 }
    }

    /// Decides whether there is room for an admitted request, and takes it.
    ///
    /// - Parameter length: bytes of its body, when they are announced.
    /// - Returns: why there is none.
    func claim(for verdict: Admission.Verdict, bodyLength length: Int?, _ claim: inout RequestClaims.Claim) -> Failure?
    {
        // Whoever has no key may send no more than a few kilobytes, and they are not for the budget: it would be anybody's to take.
        guard case .admitted(let match, let caller?) = verdict, match.endpoint.method == .POST else { return nil }
        // What is too long is refused for that.
        if let length, length > bodyLimit(of: verdict) { return nil }
        let atOnce = caller.limits.maxConcurrency ?? limits.requestsPerKey
        if !claims.take(caller.name, limit: atOnce, for: &claim) { return .tooManyAtOnce(caller, limit: atOnce) }
        return claimBody(length ?? 0, for: verdict, &claim)
    }

    /// Takes room for more of a body.
    func claimBody(_ length: Int, for verdict: Admission.Verdict, _ claim: inout RequestClaims.Claim) -> Failure? {
        guard length > 0, case .admitted(_, let caller?) = verdict else { return nil }
        let isTaken = claims.take(
            bodyBytes: length, limit: limits.bodyMemory, owner: keys.count > 1 ? caller.name : nil, for: &claim)
        return isTaken ? nil : .bodiesTooLarge(limit: limits.bodyMemory)
    }

    /// A body that nothing is read from. Requests for the operator need no key before their peer has been looked at, so none of them may
    /// make the process keep much.
    private static let idleBody = 8 * 1024

    /// Bytes that the body of a request may have.
    func bodyLimit(of verdict: Admission.Verdict) -> Int {
        switch verdict {
        case .admitted(let match, _): match.endpoint.body == .none ? min(Self.idleBody, limits.body) : limits.body
        case .preflight: min(Self.idleBody, limits.body)
        case .refused: limits.body
        }
    }

    /// Answers one request. Returns when the answer has been handed to the connection, or the client has left, which
    /// cancels the task.
    nonisolated(nonsending) func respond(
        to request: ClientRequest, _ admission: Admission, on connection: ClientConnection
    ) async {
        let verdict = admission.verdict
        let endpoint = endpoint(of: verdict, request.head)
        let context = context(for: request, admission.fields, verdict, at: endpoint, on: connection)
        let running = verdict.running
        running?.begin()
        defer { running?.end() }
        do {
            if case .admitted(let match, let caller) = verdict {
                if match.endpoint.runsOnEventLoop(bodyBytes: request.body.count) {
                    try admit(context, caller)
                    try await match.endpoint.handler(context)
                } else {
                    try await handleOffLoop(context, match.endpoint, caller, admission.entrance)
                }
            } else {
                try refuse(context, verdict)
            }
        } catch {
            say(error, context)
        }
        finish(context, verdict, at: endpoint)
    }

    // What a stream does not need is kept out of the frame of the one that waits for it: it is held as long as the stream lasts.

    @inline(never)
    private func context(
        for request: ClientRequest, _ fields: KnownFields, _ verdict: Admission.Verdict, at endpoint: Endpoint?,
        on connection: ClientConnection
    ) -> RequestContext {
        let wallClock = time.wallMicroseconds()
        let decoration = Decoration(for: fields, cors: cors, wallClock: wallClock / 1_000_000)
        let caller = verdict.caller
        let booked = endpoint.flatMap { endpoint in caller.flatMap { isBooked($0, at: endpoint) ? $0 : nil } }
        let now = time.now()
        let context = RequestContext(
            request, on: connection, decoration: decoration, drain: drain, at: now, wallClock,
            tracedAs: booked != nil || tracing != nil
                ? heading(verdict, decoration.requestID, now, wallClock) : RequestTrace.Head(),
            tracing.flatMap { start($0, request.head, at: endpoint) })
        if case .admitted(let match, _) = verdict { context.rest = match.rest }
        if let wish = fields.route, wish == "1", let role = caller?.limits.role, role >= .viewer {
            decoration.route = context.trace
        }
        if let caller = booked {
            if hasLedger || caller.isCounted { context.prices = prices }
            context.charge = charge(of: caller, arrivedAt: wallClock)
            if case .admitted = verdict { context.place = running.add(context.trace) }
        }
        return context
    }

    @inline(never)
    private func say(_ error: any Error, _ context: RequestContext) {
        if let failure = context.terminalError(after: error) {
            guard !context.hasBegun else { return context.breakOff() }
            let clientError = worded(failure, for: context.request.head, as: context.id)
            context.record.error = clientError.code
            if case .budgetExceeded = failure.kind, let caller = context.caller { tell(caller, failure) }
            var answer = clientError.response
            if failure.kind == .unacceptable(.method) { Self.allow(context.allowedMethods, in: &answer) }
            context.send(answer)
        } else {
            context.record.clientLeft = true
        }
    }

    @inline(never)
    private func finish(_ context: RequestContext, _ verdict: Admission.Verdict, at endpoint: Endpoint?) {
        context.request.ticket.release()
        context.record.take(context.trace.summary, since: context.arrival)
        let duration = time.now() - context.arrival
        let record = context.endRecord()
        if let caller = verdict.caller, let endpoint, isBooked(caller, at: endpoint) {
            book(
                record, caller, context.charge, at: endpoint, context.trace, arrivedAt: context.arrivedAt,
                arrival: context.arrival, duration: duration)
        }
        if let tracing, let endpoint {
            tracing.record(record, context.trace, at: (endpoint.path, endpoint.label), duration: duration)
        }
        finish(record, label: endpoint?.label ?? "other", took: duration)
        if let place = context.place.take() { running.remove(place) }
    }

    private func label(of target: String) -> String { endpoints.match(target)?.endpoint.label ?? "other" }

    /// Where requests may wait.
    @inline(never)
    private nonisolated(nonsending) func handleOffLoop(
        _ context: RequestContext, _ endpoint: Endpoint, _ caller: Caller?, _ entrance: Entrance
    ) async throws {
        try await withTaskExecutorPreference(globalConcurrentExecutor) {
            // Whose a request of the process itself is, is known.
            if endpoint.access.admitsLocal, caller == nil { try await admitOperator(context, endpoint, entrance) }
            try admit(context, caller)
            try await endpoint.handler(context)
        }
    }

    /// Takes a request out of its key's minute.
    @inline(never)
    private func admit(_ context: RequestContext, _ caller: Caller?) throws(Failure) {
        guard let caller else { return }
        context.caller = caller
        try charge(caller, context)
    }

    @inline(never)
    private func refuse(_ context: RequestContext, _ verdict: Admission.Verdict) throws(Failure) {
        switch verdict {
        case .admitted: break
        case .preflight: context.send(cors.preflight(context.request.head))
        case .refused(let failure, let caller):
            context.caller = caller
            throw failure
        }
    }

    /// Says which methods a path is served under, as a 405 has to.
    private static func allow(_ methods: [HTTPMethod], in answer: inout Response) {
        answer.headers.add(name: "allow", value: methods.map(\.rawValue).joined(separator: ", "))
    }

    /// A failure in the words of the API that the client speaks.
    private func worded(_ error: Failure, for head: HTTPRequestHead?, as requestID: String) -> ClientError {
        ClientError(error, in: form(for: head), requestID: requestID, isAggregator: isAggregator)
    }

    private func form(for head: HTTPRequestHead?) -> ErrorForm {
        guard let head else { return .openAI }
        if head.headers.value(of: "anthropic-version") != nil { return .anthropic }
        if let endpoint = endpoints.match(head.uri)?.endpoint { return endpoint.errors }
        // What is not served of that API (batches) is refused in its words.
        return RequestTarget(head.uri)?.segments.first == "messages" ? .anthropic : .openAI
    }

    /// Counts a request that has ended, and writes its line.
    private func finish(_ record: AccessRecord, label: String, took duration: Duration) {
        counters.count(route: label, status: record.finalStatus)
        record.log(to: logger, duration: duration)
    }

    /// Takes a request out of its key's minute, and lets the answer say what is left.
    func charge(_ caller: Caller, _ context: RequestContext) throws(Failure) {
        guard let standing = rates.take(caller.name, limit: requestsPerMinute(of: caller), at: time.now()) else {
            return
        }
        guard standing.refusedFor == nil else { throw .rateLimited(caller, standing) }
        context.decoration.rate = standing
    }

    /// The answer to a request that the connection refuses by itself, logged like any other.
    ///
    /// - Parameter caller: whose key it has shown, where that has been found out.
    func refusal(_ error: Failure, to head: HTTPRequestHead?, of caller: Caller? = nil) -> Response {
        let decoration = Decoration(for: head.map { KnownFields($0.headers) }, cors: cors, wallClock: time.wallClock())
        var record = AccessRecord(
            id: decoration.requestID, method: head?.method.rawValue ?? "-", target: head?.uri ?? "-")
        let clientError = worded(error, for: head, as: decoration.requestID)
        record.status = clientError.status
        record.error = clientError.code
        if let caller {
            record.key = caller.name
            if let head, let endpoint = endpoints.match(head.uri)?.endpoint, endpoint.isBooked {
                if isBooked(caller, at: endpoint) {
                    let now = time.wallMicroseconds()
                    book(record, caller, charge(of: caller, arrivedAt: now), at: endpoint, nil, arrivedAt: now)
                }
                trace(record, of: head, caller, at: endpoint)
            }
        }
        finish(record, label: head.map { label(of: $0.uri) } ?? "other", took: .zero)
        var answer = clientError.response
        if error.kind == .unacceptable(.method), let head, let match = endpoints.match(head.uri) {
            Self.allow(match.endpoint.methods, in: &answer)
        }
        decoration.apply(to: &answer)
        return answer
    }
}
