import Synchronization

/// What the attempts of one request have in common.
struct RoutedRequest: Sendable {
    /// The upstreams that may serve it, by their index in the router's list.
    var accepts: UpstreamSet
    /// The model's id there.
    var model: String
    var arrival: Duration
    /// Until when a permit is waited for, pauses are made, and attempts begin. The attempts bound themselves.
    var deadline: Duration
    /// Its time goes to the first event, and not to the end.
    var isStreaming = false
    /// Whose it is: the name of the client's key.
    var client = ""
    /// What it shares with its fallbacks; nil when it has none.
    var history: RequestHistory?
}

/// What a request has met at upstreams, whichever model it asked them for.
final class RequestHistory: Sendable {
    private let counted = Mutex(UpstreamSet())

    /// Those that it has counted against.
    var countedUpstreams: UpstreamSet { counted.withLock { $0 } }

    fileprivate func note(_ upstreams: UpstreamSet) { counted.withLock { $0 = upstreams } }
}

/// Runs a request's attempts: a permit, the call, the books, and the next upstream when one fails for a reason of its own.
struct Failover: Sendable {
    let router: Router
    /// Further attempts after the first.
    let retryAttempts: Int
    var random: @Sendable () -> Double = { .random(in: 0..<1) }

    /// Calls `attempt` with one upstream after the other until one succeeds, the failure is the request's own, a part of the
    /// answer has reached the client, or nothing is left to try.
    ///
    /// Permits are held while `attempt` runs, and given back whatever ends it. Parameters and errors as in `begin`.
    nonisolated(nonsending) func run<Success>(
        _ request: RoutedRequest, _ attempt: nonisolated(nonsending) (Upstream, AttemptReport) async throws -> Success
    ) async throws -> Success {
        let begun = try await begin(request, attempt)
        await begun.end()
        return begun.success
    }

    /// The same for an answer that goes on when `attempt` has returned: then no other upstream can take its place. The permit is held until
    /// the caller ends what has begun.
    ///
    /// - Throws: `APIError`; `CancellationError` when the client has left.
    nonisolated(nonsending) func begin<Success>(
        _ request: RoutedRequest, _ attempt: nonisolated(nonsending) (Upstream, AttemptReport) async throws -> Success
    ) async throws -> BegunAttempt<Success> {
        let attempts = Attempts(self, for: request)
        while true {
            let permit = try await attempts.permit()
            let report = AttemptReport()
            do {
                let success = try await attempt(permit.upstream, report)
                return BegunAttempt(success, report, of: permit.awaitsBeginning ? await router.begun(permit) : permit, by: router)
            } catch {
                try await attempts.note(error, report, of: permit)
            }
        }
    }

}

/// An attempt that no other can follow, and the permit that it holds. Its owner has to end it, once.
final class BegunAttempt<Success> {
    let success: Success
    let report: AttemptReport
    var upstream: Upstream { permit.upstream }
    private let permit: Router.Permit
    private let router: Router
    private var hasEnded = false

    fileprivate init(_ success: Success, _ report: AttemptReport, of permit: Router.Permit, by router: Router) {
        self.success = success
        self.report = report
        self.permit = permit
        self.router = router
    }

    deinit { assert(hasEnded, "a permit has not been given back") }

    /// It has succeeded.
    nonisolated(nonsending) func end() async {
        hasEnded = true
        await router.end(permit, AttemptEnding(.succeeded, nil, report, of: permit))
    }

    /// It has failed on its way.
    ///
    /// - Returns: what the client is told; nil when it has left.
    nonisolated(nonsending) func end(after error: any Error) async -> APIError? {
        hasEnded = true
        let failure = FailedAttempt(error, of: permit, on: router.time)
        await router.end(permit, AttemptEnding(failure.outcome, failure.error, report, of: permit))
        return Task.isCancelled ? nil : failure.error
    }
}

/// What the failure of an attempt means.
private struct FailedAttempt {
    let outcome: AttemptOutcome
    /// What a client would be told about it.
    let error: APIError?

    init(_ failure: any Error, of permit: Router.Permit, on time: TimeSource) {
        if Task.isCancelled {
            // Nobody is left to be answered: what else went wrong is a consequence.
            outcome = .abandoned
        } else {
            let met = OutcomeClassifier.outcome(of: failure)
            // What an upstream has said counts whenever it is read.
            let hadPause = time.stoodStill(since: max(permit.admittedAt, time.now() - ClockGap.echo))
            outcome = met.mayMoveOn && !(failure is APIError) && hadPause ? .interrupted : met
        }
        error = UpstreamFault.apiError(failure, account: permit.upstream.id)
    }
}

extension AttemptEnding {
    fileprivate init(_ outcome: AttemptOutcome, _ error: APIError?, _ report: AttemptReport, of permit: Router.Permit) {
        let content = report.content
        self.init(outcome, error: error, usage: content.usage, firstEvent: content.firstEvent.map { $0 - permit.admittedAt })
        oddities = content.oddities
    }
}

/// The attempts of one request. What is decided between them stands apart from `Failover.begin`, whose memory lasts as long as each of them.
private final class Attempts {
    private let failover: Failover
    private var router: Router { failover.router }
    private let ticket: RouteRequest.Ticket
    private let request: RoutedRequest
    private var deadline: Duration { request.deadline }
    private var plan: FailoverPlan

    init(_ failover: Failover, for request: RoutedRequest) {
        self.failover = failover
        self.request = request
        ticket = failover.router.ticket()
        plan = FailoverPlan(
            accepts: request.accepts, model: request.model, retryAttempts: failover.retryAttempts, countedUpstreams: request.history?.countedUpstreams)
    }

    /// An upstream for the next attempt.
    ///
    /// - Throws: what ends the request when there is none.
    nonisolated(nonsending) func permit() async throws -> Router.Permit {
        while true {
            var attempt = RouteRequest(
                ticket: ticket, terms: plan.terms, deadline: deadline, allowance: deadline - request.arrival, isStreaming: request.isStreaming,
                client: request.client)
            (attempt.countedModels, attempt.countedUpstreams) = (plan.countedModels, plan.countedUpstreams)
            switch await router.admit(attempt) {
            case .success(let permit): return permit
            case .failure(.cancelled): throw CancellationError()
            case .failure(.unavailable(let outlook)):
                guard try await pause() else { throw await final(.noAccountAvailable(outlook, at: router.time.now())) }
            case .failure(.retryBudgetSpent): throw await final(.noAccountAvailable(.init(earliest: nil, isThrottled: false), at: .zero))
            case .failure(.queueFull(let seconds)): throw plan.error ?? .queueFull(retryAfter: seconds)
            case .failure(.queueTimeout(let seconds)): throw plan.error ?? .queueTimeout(retryAfter: seconds)
            }
        }
    }

    /// Takes note of an attempt that failed, and gives its permit back.
    ///
    /// - Throws: what ends the request; nothing when there may be another attempt.
    nonisolated(nonsending) func note(_ error: any Error, _ report: AttemptReport, of permit: Router.Permit) async throws {
        let failure = FailedAttempt(error, of: permit, on: router.time)
        await router.end(permit, AttemptEnding(failure.outcome, failure.error, report, of: permit))
        if let error = try lastError(failure, report, at: permit.index) { throw await final(error) }
    }

    /// - Returns: the error of the attempt, when it was the last one; nil when there may be another.
    /// - Throws: what ends the request at once: a failure of its own, one after a part of the answer, or the client's leaving.
    private func lastError(_ failure: FailedAttempt, _ report: AttemptReport, at index: Int) throws -> APIError? {
        try Task.checkCancellation()
        guard let error = failure.error else { throw CancellationError() }
        guard failure.outcome.mayMoveOn, report.content.firstEvent == nil else { throw error }
        // Another one would fail at once, and count against an upstream that nobody has asked.
        let now = router.time.now()
        let mayGoOn = plan.note(failure.outcome, error, at: index, now)
        request.history?.note(plan.countedUpstreams)
        return mayGoOn && now < deadline ? nil : error
    }

    /// Waits until those that failed may be asked again.
    ///
    /// - Returns: false when that makes no sense.
    private nonisolated(nonsending) func pause() async throws -> Bool {
        let outlook = await router.outlook(of: plan.repeatable, for: request.model, notBefore: plan.notBefore)
        guard let pause = plan.pause(outlook, at: router.time.now(), deadline: deadline, jitter: failover.random()) else { return false }
        try await router.time.sleep(for: pause)
        return true
    }

    /// The error to end with: what the attempts met, or `otherwise` when there was none. When it asks the client to come back
    /// later and does not say when, the router does.
    private nonisolated(nonsending) func final(_ otherwise: APIError) async -> APIError {
        var error = plan.error ?? otherwise
        // Other accounts do not throttle because one does, so a 429's own word is not the last one.
        guard error.status == 429 || error.status == 503 && error.retryAfter == nil, !error.forbidsRetry else { return error }
        let outlook = await router.outlook(of: plan.repeatable, for: request.model)
        if outlook.earliest != nil { error.retryAfter = outlook.retryAfter(at: router.time.now()) }
        return error
    }
}

extension APIError {
    /// Nothing was tried: every upstream that could serve the request is out of use.
    static func noAccountAvailable(_ outlook: RouteRefusal.Outlook, at now: Duration) -> APIError {
        APIError(
            status: outlook.isThrottled ? 429 : 503,
            message: outlook.isThrottled
                ? "Every account that serves this model is cooling down after 'too many requests'. Try again later."
                : "No account that serves this model can be used at the moment: each is unhealthy, cooling down, or has failed too often. "
                    + "The operator finds the reasons at /stats/accounts.",
            type: "overloaded_error", code: "no_account_available",
            retryAfter: outlook.retryAfter(at: now))
    }

    static func queueFull(retryAfter seconds: Int) -> APIError {
        APIError(
            status: 503, message: "Too many requests are waiting already. Try again later, or ask the operator to raise queue_size or the limits of concurrency.",
            type: "overloaded_error", code: "queue_full", retryAfter: seconds)
    }

    static func queueTimeout(retryAfter seconds: Int) -> APIError {
        APIError(
            status: 503, message: "No account is free soon enough for an answer in the time that a request has. Try again later, or ask the operator to raise the limits "
                + "of concurrency.",
            type: "overloaded_error", code: "queue_timeout", retryAfter: seconds)
    }
}

extension RouteRefusal.Outlook {
    /// Seconds. What rests after failures is asked every second whether it has to, so nobody need sleep until it may be used again.
    fileprivate func retryAfter(at now: Duration) -> Int {
        let wait = earliest.map { $0 - now } ?? Patience.limit
        return max(1, (isThrottled ? wait : min(wait, Patience.limit)).secondsRoundedUp)
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    var secondsRoundedUp: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0)
    }
}
