import ProxyRouting

/// The attempts of one request at the upstreams of one model: each gets a permit, and leads to the next when it fails for a reason of its upstream's own.
/// What is decided between them is a value without I/O (`FailoverPlan`), and lives as long as the answer does.
///
///     while true {
///         let attempt = try await attempts.next()
///         do { ...; return } catch { try await attempts.failed(attempt, with: error) }
///     }
final class Attempts {
    private let failover: Failover
    private var router: Router { failover.router }
    private let ticket: RouteRequest.Ticket
    private let request: RoutedRequest
    private var deadline: Duration { request.deadline }
    private var plan: FailoverPlan

    init(of request: RoutedRequest, by failover: Failover) {
        self.failover = failover
        self.request = request
        ticket = failover.router.ticket()
        plan = FailoverPlan(
            accepts: request.accepts, model: request.model, retryAttempts: failover.retryAttempts,
            countedUpstreams: request.history?.countedUpstreams, earlier: request.earlier,
            isRetry: request.isRetry)
    }

    /// The next attempt, with a permit, which its owner has to give back by ending it.
    ///
    /// - Throws: what ends the request when there is none: a `Failure`, or `CancellationError`.
    nonisolated(nonsending) func next() async throws -> Attempt {
        let hold = try await reserve()
        do { return Attempt(try await permit(), by: failover, request, hold) } catch {
            // Nobody has been called.
            if let hold { request.charge?.giveBack(hold) }
            throw error
        }
    }

    private nonisolated(nonsending) func permit() async throws -> Router.Permit {
        while true {
            var wanted = RouteRequest(
                ticket: ticket, terms: plan.terms, deadline: deadline, allowance: deadline - request.arrival,
                isStreaming: request.isStreaming,
                client: request.client)
            (wanted.countedModels, wanted.countedUpstreams) = (plan.countedModels, plan.countedUpstreams)
            switch await router.admit(wanted, request.trace, call: request.call) {
            case .success(let permit): return permit
            case .failure(let refusal): try await meet(refusal)
            }
        }
    }

    /// For one attempt. What was reserved for an earlier one that has cost nothing has been given back by then, and what has cost something stays reserved.
    ///
    /// - Returns: what has been reserved; nil where nobody counts.
    /// - Throws: why the key cannot afford it; but what the upstreams have failed with, when they have: the client's key is not to blame for that.
    private nonisolated(nonsending) func reserve() async throws -> Int? {
        do throws(Failure) {
            return try request.charge?.admit(request.estimate, request.pricing)
        } catch {
            guard plan.error != nil else { throw error }
            throw await final(error)
        }
    }

    /// There is no upstream: waits, or throws what ends the request.
    private nonisolated(nonsending) func meet(_ refusal: RouteRefusal) async throws {
        if refusal != .cancelled { request.trace?.append(.refused(refusal, call: request.call)) }
        switch refusal {
        case .cancelled: throw CancellationError()
        case .unavailable(let outlook):
            guard try await pause() else { throw await final(.noAccountAvailable(outlook, at: router.time.now())) }
        case .retryBudgetSpent:
            throw await final(.noAccountAvailable(.init(earliest: nil, isThrottled: false), at: .zero))
        case .queueFull(let seconds): throw plan.error ?? .queueFull(retryAfter: seconds)
        case .queueTimeout(let seconds): throw plan.error ?? .queueTimeout(retryAfter: seconds)
        }
    }

    /// Takes note of an attempt that failed, and gives its permit back.
    ///
    /// - Throws: what ends the request; nothing when there may be another attempt.
    nonisolated(nonsending) func failed(_ attempt: Attempt, with error: any Error) async throws {
        let (outcome, failure) = await attempt.end(after: error)
        if let failure = try lastFailure(outcome, failure, of: attempt) { throw await final(failure) }
    }

    /// - Returns: the failure of the attempt, when it was the last one; nil when there may be another.
    /// - Throws: what ends the request at once: a failure of its own, one after a part of the answer, or the client's leaving.
    private func lastFailure(_ outcome: AttemptOutcome, _ failure: Failure?, of attempt: Attempt) throws -> Failure? {
        try Task.checkCancellation()
        guard let failure else { throw CancellationError() }
        guard outcome.mayMoveOn, attempt.report.content.firstEvent == nil else { throw failure }
        // Another one would fail at once, and count against an upstream that nobody has asked.
        let now = router.time.now()
        let mayGoOn = plan.note(outcome, failure, at: attempt.upstream.index, now)
        request.history?.note(plan.countedUpstreams)
        return mayGoOn && now < deadline ? nil : failure
    }

    /// Waits until those that failed may be asked again.
    ///
    /// - Returns: false when that makes no sense.
    private nonisolated(nonsending) func pause() async throws -> Bool {
        let outlook = await router.outlook(of: plan.repeatable, for: request.model, notBefore: plan.notBefore)
        guard let pause = plan.pause(outlook, at: router.time.now(), deadline: deadline, jitter: failover.random())
        else { return false }
        request.trace?.append(.paused(pause, call: request.call))
        try await router.time.sleep(for: pause)
        return true
    }

    /// The failure to end with: what the attempts met, or `otherwise` when there was none. When it asks the client to come back
    /// later and does not say when, the router does.
    private nonisolated(nonsending) func final(_ otherwise: Failure) async -> Failure {
        var failure = plan.error ?? otherwise
        // Other accounts do not throttle because one does, so a throttle's own word is not the last one.
        guard failure.kind.wantsPause, failure.retryAfter == nil || failure.kind.isThrottle else { return failure }
        let outlook = await router.outlook(of: plan.repeatable, for: request.model)
        if outlook.earliest != nil { failure.retryAfter = outlook.retryAfter(at: router.time.now()) }
        return failure
    }
}

/// One attempt at one upstream, and the permit that it holds. Its owner has to end it, once.
final class Attempt {
    let report: AttemptReport
    var upstream: Upstream { permit.upstream }
    private var permit: Router.Permit
    private let failover: Failover
    private var router: Router { failover.router }
    private let trace: RequestTrace?
    private let call: Int
    /// What its key has reserved for it.
    private let hold: Int?
    private let charge: RequestCharge?
    private var hasEnded = false

    fileprivate init(_ permit: Router.Permit, by failover: Failover, _ request: RoutedRequest, _ hold: Int?) {
        (self.hold, charge) = (hold, request.charge)
        self.permit = permit
        self.failover = failover
        trace = request.trace
        call = request.call
        report = AttemptReport(
            AttemptReport.Call(
                upstream: permit.upstream.id, model: request.model, pricing: request.pricing,
                region: permit.upstream.backend.region, candidates: request.accepts.firstWord,
                traced: trace?.start.map {
                    TracedAttempt(in: $0, isPropagated: permit.upstream.backend.propagatesTrace)
                },
                estimate: request.estimate))
        trace?.append(.began(call: call, report, at: permit.admittedAt))
    }

    deinit { assert(hasEnded, "a permit has not been released") }

    /// The answer has begun: no other attempt can follow.
    nonisolated(nonsending) func begun() async {
        if permit.awaitsBeginning { permit = await router.begun(permit) }
    }

    /// It has succeeded.
    nonisolated(nonsending) func end() async { await end(as: .succeeded, nil) }

    /// It has failed, at its beginning or on its way.
    ///
    /// - Returns: what that means, and what the client is told; nil when it has left.
    @discardableResult
    nonisolated(nonsending) func end(after error: any Error) async -> (outcome: AttemptOutcome, failure: Failure?) {
        let failure = UpstreamFault.failure(error, account: permit.upstream.id)
        let outcome = outcome(of: failure)
        await end(as: outcome, failure)
        return (outcome, Task.isCancelled ? nil : failure)
    }

    private func outcome(of failure: Failure?) -> AttemptOutcome {
        // Nobody is left to be answered: what else went wrong is a consequence.
        guard !Task.isCancelled, let failure else { return .abandoned }
        let met = OutcomeClassifier.outcome(of: failure)
        // What an upstream has said counts whenever it is read.
        guard met.mayMoveOn, failure.kind.isOfTheWay else { return met }
        let hadPause = router.time.stoodStill(since: max(permit.admittedAt, router.time.now() - ClockGap.echo))
        return hadPause ? .interrupted : met
    }

    private nonisolated(nonsending) func end(as outcome: AttemptOutcome, _ failure: Failure?) async {
        hasEnded = true
        let content = report.content
        if let words = report.retirementInfo { failover.retirements?.note(words, of: report.call.model) }
        if content.lacksUsage(after: outcome) { report.makeOutEstimate() }
        if let hold, content.earlier.isEmpty, !content.mayBeCharged(after: outcome) { charge?.giveBack(hold) }
        var ending = AttemptEnding(
            outcome, error: failure, usage: content.allUsage,
            firstEvent: content.firstEvent.map { $0 - permit.admittedAt })
        ending.oddities = content.oddities
        trace?.append(.ended(call: call, outcome, at: router.time.now()))
        await router.end(permit, ending)
    }
}
