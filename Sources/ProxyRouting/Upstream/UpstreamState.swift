/// All that changes about one upstream, and whether it may be asked now: what is its own, and what belongs to each of its models. The actor
/// is a shell around it. Which result touches what is decided by `Attribution`.
package struct UpstreamState: Sendable {
    /// What an admission has to be given back with.
    package struct Pass: Sendable, Equatable {
        /// The model's id at the upstream.
        package let model: String
        package let admittedAt: Duration
        fileprivate var breaker: CircuitBreaker.Pass
        fileprivate let cooldown: Cooldown.Pass
        fileprivate let slowStart: SlowStart.Pass
        /// Where the model stands in `models` until the attempt has ended.
        fileprivate let slot: Int
        fileprivate var inModel: ModelState.Pass
        fileprivate let isLastResort: Bool
        /// It finds out whether the upstream itself has to rest, and nothing has come of it yet.
        fileprivate var findsOut: Bool
        /// `begun` has something to learn from this request.
        package fileprivate(set) var awaitsBeginning = false
    }

    /// An account's empty purse is not filled in a second.
    package static let exhaustedPause = Duration.seconds(60)

    package private(set) var permits: PermitCounter
    /// What instances that share its limit leave to this one; nil where none do.
    package var shared: SharedCapacity?
    package internal(set) var breaker = CircuitBreaker()
    package internal(set) var cooldown = Cooldown()
    package private(set) var health = HealthRecord()
    package private(set) var statistics = UpstreamStatistics()
    package internal(set) var models = ModelStates()
    package private(set) var history = HealthHistory()
    package private(set) var settings: CircuitBreaker.Settings
    private var slowStart = SlowStart()
    var success = RecentSuccess()
    /// Answers that have given their permits back.
    private var answers = RollingCounts(seconds: 10)
    /// For how long an answer holds its permit, whatever the model.
    private var hold = MeanDuration()
    /// A request was let through although the upstream rests, and nothing has come of it yet.
    private var isBeingTried = false
    /// When one was let through last.
    private var lastTriedAt: Duration?

    package init(maxConcurrency: Int, breaker: CircuitBreaker.Settings) {
        permits = PermitCounter(limit: maxConcurrency)
        settings = breaker
    }

    // MARK: Looks

    /// Of the upstream itself, whatever the model.
    package func availability(at now: Duration) -> Availability {
        if !health.isHealthy { return .unavailable(.unhealthy) }
        if let until = cooldown.until(at: now) { return .unavailable(.coolingDown(until: until, isThrottle: true)) }
        if let reason = breaker.reason(at: now) { return .unavailable(reason) }
        guard hasRoom(at: now) else { return .full(until: nil) }
        return slowStart.hasCapacity(at: now) ? .available : .full(until: slowStart.recheckAt(now))
    }

    /// A permit is free, also by what other instances leave to this one.
    private func hasRoom(at now: Duration) -> Bool {
        guard permits.hasRoom else { return false }
        guard let shared else { return true }
        return permits.inUse < shared.permits(at: now)
    }

    /// Of one of its models, apart from the upstream itself.
    package func availability(of model: String, at now: Duration) -> Availability {
        models.slot(of: model).map { models[slot: $0].availability(at: now) } ?? .available
    }

    /// Its last counted attempt, or that of the model, failed.
    package func isFailing(_ model: String) -> Bool {
        breaker.consecutiveFailures > 0
            || models.slot(of: model).map { models[slot: $0].breaker.consecutiveFailures > 0 } ?? false
    }

    /// What a routing decision depends on.
    package func view(of model: String, at now: Duration) -> UpstreamView {
        UpstreamView(own: availability(at: now), model: availability(of: model, at: now))
    }

    /// The same of the model of an attempt that has not ended. It changes nothing; but what does not mutate is given a copy of an actor's
    /// state, with a reference for each list in it.
    package mutating func view(of pass: Pass, at now: Duration) -> UpstreamView {
        UpstreamView(own: availability(at: now), model: models.availability(inSlot: pass.slot, at: now))
    }

    /// Since when it rests; nil when it does not.
    private func restsSince(_ now: Duration) -> Duration? {
        if !health.isHealthy { return health.unhealthySince }
        if let since = cooldown.since(at: now) { return since }
        return breaker.admits(at: now) ? nil : breaker.openedAt
    }

    /// Since when it or the model rests, or has been found to have to; nil when neither rests.
    package func restsSince(_ now: Duration, _ model: String) -> Duration? {
        let inModel = models.slot(of: model).flatMap { models[slot: $0].restsSince(now) }
        guard let since = restsSince(now) else { return inModel }
        return max(since, lastTriedAt ?? since, inModel ?? since)
    }

    /// Whether one request may find out that it need not rest.
    package func allowsLastResort(for model: String, at now: Duration) -> Bool {
        if breaker.isProbed || !hasRoom(at: now) { return false }
        // One at a time finds out about the upstream, and one about each of its models.
        if isBeingTried, case .unavailable = availability(at: now) { return false }
        if let until = cooldown.until(at: now), until - now <= Patience.limit { return false }
        return models[model]?.allowsLastResort(at: now) ?? true
    }

    /// In which nine of ten answers of the model come, or begin; nil when that is not known.
    package func usualTime(of model: String, isStreaming: Bool, at now: Duration) -> Duration? {
        models[model]?.usualTime(isStreaming: isStreaming, at: now)
    }

    /// In which nearly all answers of the model come, or begin; nil when that is not known.
    package func safeTime(of model: String, isStreaming: Bool, at now: Duration) -> Duration? {
        models[model]?.safeTime(isStreaming: isStreaming, at: now)
    }

    /// Permits that come back in a second: at the pace of the last ten, or as those that are out usually do. Nil when neither is known.
    package func pace(of model: String, at now: Duration) -> Double? {
        let recent = Double(answers.totals(at: now).events) / 10
        // On its way up an upstream takes more from moment to moment.
        if slowStart.isClimbing || models[model]?.slowStart.isClimbing == true { return nil }
        guard let hold = models[model]?.hold.seconds ?? hold.seconds, hold > 0 else { return nil }
        return max(recent, Double(max(permits.inUse, 1)) / hold)
    }

    // MARK: Events

    /// Takes a permit. Only while both availabilities say so, or as a last resort.
    package mutating func admit(_ model: String, isLastResort: Bool = false, at now: Duration) -> Pass {
        permits.take()
        statistics.begin()
        let findsOut = isLastResort && restsSince(now) != nil
        if findsOut { (isBeingTried, lastTriedAt) = (true, now) }
        let slot = models.slot(for: model, at: now)
        let inModel = models[slot: slot].admit(isLastResort: isLastResort, at: now)
        var pass = Pass(
            model: model, admittedAt: now, breaker: breaker.admit(isLastResort: isLastResort, at: now),
            cooldown: cooldown.pass,
            slowStart: slowStart.admit(at: now), slot: slot, inModel: inModel, isLastResort: isLastResort,
            findsOut: findsOut)
        pass.awaitsBeginning =
            isLastResort || breaker.isProbed || slowStart.isClimbing
            || models[slot: slot].awaitsBeginning(inModel, at: now)
        return pass
    }

    /// The answer has begun: its first event, or status and body of a whole one. That decides a probe, which may be a long stream.
    ///
    /// - Parameter pass: changes into what the attempt is to be ended with.
    /// - Returns: the circuit breakers that have changed.
    package mutating func begun(_ pass: inout Pass, at now: Duration) -> BreakerChanges {
        guard pass.awaitsBeginning else { return BreakerChanges() }
        let before = breakerStates(pass, at: now)
        pass.awaitsBeginning = false
        answered(&pass, at: now)
        if pass.isLastResort { heal() }
        foundOut(&pass)
        models[slot: pass.slot].begun(&pass.inModel, top: permits.limit, at: now)
        if history.isOpen(at: now) { noteHistory(at: now) }
        return changes(since: before, of: pass, at: now)
    }

    /// Gives the permit back and takes note of what came of it.
    ///
    /// - Parameter jitter: 0 ..< 1.
    /// - Returns: the circuit breakers that have changed, and how the upstream and the model do now.
    @discardableResult
    package mutating func end(_ pass: Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) -> (
        changes: BreakerChanges, view: UpstreamView
    ) {
        permits.giveBack()
        var pass = pass
        foundOut(&pass)
        slowStart.end(pass.slowStart)
        let took = now - pass.admittedAt
        // Looks that do not mutate are given a copy of the state: only for the few outcomes that need them.
        let attribution = Attribution(
            ending.outcome,
            hadUsualTime: ending.outcome != .outOfTime || hadUsualTime(pass, ending, took: took, at: now),
            evidence: ending.outcome.isDoubtful ? evidence(about: pass, at: now) : .none)
        success.note(ending, at: now)
        let before = breakerStates(pass, at: now)

        if attribution.upstream == .success {
            if pass.awaitsBeginning { answered(&pass, at: now) }
            breaker.record(.success, of: pass.breaker, by: settings, at: now)
            if pass.isLastResort, attribution.model == .success { heal() }
        } else {
            breaker.record(
                attribution.upstream, of: pass.breaker, isRepeated: ending.isCounted.upstream, by: settings, at: now)
        }
        if case .upstream(let seconds)? = attribution.rest {
            let isNew = cooldown.begin(
                retryAfter: seconds.map { .seconds($0) }, isThrottle: true, of: pass.cooldown,
                shortest: Self.exhaustedPause, at: now, jitter: jitter)
            if isNew { slowStart.begin() }
        }
        models[slot: pass.slot].end(
            pass.inModel, ending, attribution, took: took, top: permits.limit, by: settings, at: now, jitter: jitter)
        if ending.outcome == .succeeded || ending.outcome == .abandoned { answers.add(events: 1, at: now) }
        if ending.outcome == .succeeded { hold.add(took) }
        statistics.end(ending, at: now, took: took)
        var changes = changes(since: before, of: pass, at: now)
        // It was open before it was tried.
        if pass.isLastResort, changes.upstream == .open { changes.upstream = nil }
        if pass.isLastResort, changes.model?.state == .open { changes.model = nil }
        let view = view(of: pass, at: now)
        models.release(pass.slot)
        statistics.opened += (changes.upstream == .open ? 1 : 0) + (changes.model?.state == .open ? 1 : 0)
        if ending.outcome != .succeeded || history.isOpen(at: now) || !changes.isEmpty { noteHistory(at: now) }
        return (changes, view)
    }

    /// For people who look back.
    mutating func noteHistory(at now: Duration) {
        guard health.isHealthy else { return history.note(.unhealthy, at: now) }
        let condition = condition(at: now)
        switch condition.breaker {
        // It stays open until a probe has succeeded, whenever that comes.
        case .open, .halfOpen: history.note(.open, at: now)
        case .closed:
            if let until = condition.coolingUntil {
                history.note(.cooling, until: until, at: now)
            } else {
                history.note(.ready, at: now)
            }
        }
    }

    /// The operator has changed the limits. What is in flight stays, and so does everything that is known of the upstream.
    package mutating func reconfigure(maxConcurrency: Int, breaker settings: CircuitBreaker.Settings) {
        permits.limit = maxConcurrency
        models.changeAll { $0.topChanged(to: maxConcurrency) }
        self.settings = settings
    }

    /// Takes note of a health check. One that succeeds lets a probe through to whatever an open breaker keeps requests from.
    package mutating func note(_ probe: HealthRecord.Probe, at now: Duration, latency: Duration) {
        health.record(probe, at: now, latency: latency, isContradicted: success.vouches(at: now))
        defer { if !health.isHealthy || history.isOpen(at: now) { noteHistory(at: now) } }
        guard probe == .passed else { return }
        breaker.allowProbe(at: now)
        models.changeAll { $0.allowProbe(at: now) }
    }

    /// The operator's word that the upstream is well again, or one of its models: closes breakers, ends cooldowns, and forgets what was
    /// learnt of limits.
    ///
    /// - Parameter model: nil for the upstream and all of its models.
    package mutating func reset(_ model: String? = nil, at now: Duration) {
        defer { if history.isOpen(at: now) { noteHistory(at: now) } }
        if let model {
            if let slot = models.slot(of: model) { models[slot: slot].reset() }
            return
        }
        breaker.reset()
        cooldown.reset()
        slowStart.reset()
        models.changeAll { $0.reset() }
    }

    // MARK: Memory

    /// What is worth knowing after a restart.
    package func memory(at now: Duration) -> UpstreamMemory {
        var memory = UpstreamMemory(rest: cooldown.memory(at: now))
        for (id, state) in models.all {
            let model = state.memory(at: now)
            if !model.isEmpty { memory.models[id] = model }
        }
        return memory
    }

    /// Goes on with what a process before has learnt. Before the first request.
    package mutating func restore(_ memory: UpstreamMemory, at now: Duration) {
        if let rest = memory.rest {
            cooldown.restore(rest, at: now)
            slowStart.begin()
            noteHistory(at: now)
        }
        for (id, model) in memory.models.prefix(ModelStates.capacity) where !model.isEmpty {
            models[slot: models.slot(for: id, at: now)].restore(model, top: permits.limit, at: now)
        }
    }

    private mutating func answered(_ pass: inout Pass, at now: Duration) {
        let wasOpen = breaker.state(at: now) != .closed
        pass.breaker = breaker.begun(pass.breaker, at: now)
        if wasOpen, breaker.state(at: now) == .closed { slowStart.begin() }
        let wasCooling = cooldown.until(at: now) != nil && cooldown.isCurrent(pass.cooldown)
        cooldown.succeeded(pass.cooldown)
        slowStart.answered(wasOpen || wasCooling ? slowStart.pass : pass.slowStart, top: permits.limit, at: now)
    }

    /// What a last resort was to find out is known.
    private mutating func foundOut(_ pass: inout Pass) {
        guard pass.findsOut else { return }
        pass.findsOut = false
        isBeingTried = false
    }

    /// A last resort has been answered, whatever the health checks say.
    private mutating func heal() {
        guard !health.isHealthy else { return }
        health.answered()
        slowStart.begin()
    }

    private typealias BreakerStates = (upstream: CircuitBreaker.State, model: CircuitBreaker.State)

    private mutating func breakerStates(_ pass: borrowing Pass, at now: Duration) -> BreakerStates {
        (breaker.state(at: now), models.breakerState(inSlot: pass.slot, at: now))
    }

    private mutating func changes(since before: BreakerStates, of pass: borrowing Pass, at now: Duration)
        -> BreakerChanges
    {
        let after = breakerStates(pass, at: now)
        return BreakerChanges(
            upstream: before.upstream == after.upstream ? nil : after.upstream,
            model: before.model == after.model ? nil : (pass.model, after.model))
    }

    /// What others' answers say about a failure that may speak of the upstream, of the model or of the request.
    private func evidence(about pass: Pass, at now: Duration) -> Attribution.Evidence {
        guard success.vouches(at: now) else { return .none }
        return models[slot: pass.slot].success.vouches(at: now) ? .ofThisModel : .ofOtherModels
    }

    /// Whether an attempt that the request's deadline ended had so much time that it speaks against the model.
    private func hadUsualTime(_ pass: Pass, _ ending: AttemptEnding, took: Duration, at now: Duration) -> Bool {
        let half = ending.allowance / 2
        guard let usual = usualTime(of: pass.model, isStreaming: ending.isStreaming, at: now) else {
            return took >= half
        }
        // One in ten takes longer than that, and when the machine halts for a moment all of them do: only twice the time leaves no doubt.
        return took >= min(usual * 2, max(usual, half))
    }
}

/// Circuit breakers that an attempt has changed, and what they are now.
package struct BreakerChanges: Sendable {
    package var upstream: CircuitBreaker.State?
    package var model: (id: String, state: CircuitBreaker.State)?

    package var isEmpty: Bool { upstream == nil && model == nil }
}
