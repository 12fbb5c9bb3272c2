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
        fileprivate let ramp: Ramp.Pass
        fileprivate var inModel: ModelState.Pass
        fileprivate let isLastResort: Bool
        /// `begun` has something to learn from this request.
        package fileprivate(set) var awaitsBeginning = false
    }

    /// An account's empty purse is not filled in a second.
    package static let exhaustedPause = Duration.seconds(60)

    package private(set) var permits: PermitCounter
    package private(set) var breaker = CircuitBreaker()
    package private(set) var cooldown = Cooldown()
    package private(set) var health = HealthRecord()
    package private(set) var statistics = UpstreamStatistics()
    package private(set) var models = ModelStates()
    package private(set) var settings: CircuitBreaker.Settings
    private var ramp = Ramp()
    /// Answers that have given their permits back.
    private var answers = RollingCounts(seconds: 10)
    /// For how long an answer holds its permit, whatever the model.
    private var hold = MeanDuration()
    private var isProbed = false

    package init(maxConcurrency: Int, breaker: CircuitBreaker.Settings) {
        permits = PermitCounter(limit: maxConcurrency)
        settings = breaker
    }

    // MARK: Looks

    /// Of the upstream itself, whatever the model.
    package func availability(at now: Duration) -> Availability {
        if !health.isHealthy { return .unavailable(until: nil, isThrottled: false) }
        if let until = cooldown.until(at: now) { return .unavailable(until: until, isThrottled: true) }
        if let until = breaker.holds(at: now) { return .unavailable(until: until, isThrottled: false) }
        guard permits.hasRoom else { return .full(until: nil) }
        return ramp.hasCapacity(at: now) ? .available : .full(until: ramp.recheckAt(now))
    }

    /// Of one of its models, apart from the upstream itself.
    package func availability(of model: String, at now: Duration) -> Availability { models[model]?.availability(at: now) ?? .available }

    /// Its last counted attempt, or that of the model, failed.
    package func isFailing(_ model: String) -> Bool { breaker.consecutiveFailures > 0 || (models[model]?.breaker.consecutiveFailures ?? 0) > 0 }

    /// Since when it rests, itself or the model; nil when neither does.
    package func restsSince(_ now: Duration, _ model: String) -> Duration? {
        if !health.isHealthy { return health.unhealthySince }
        if let since = cooldown.since(at: now) { return since }
        if !breaker.admits(at: now) { return breaker.openedAt }
        return models[model]?.restsSince(now)
    }

    /// Whether one request may find out that it need not rest.
    package func allowsLastResort(for model: String, at now: Duration) -> Bool {
        if breaker.isProbed || !permits.hasRoom { return false }
        // One at a time finds out about the upstream, and one about each of its models.
        if isProbed, case .unavailable = availability(at: now) { return false }
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
        if ramp.isClimbing || models[model]?.ramp.isClimbing == true { return nil }
        guard let hold = models[model]?.hold.seconds ?? hold.seconds, hold > 0 else { return nil }
        return max(recent, Double(max(permits.inUse, 1)) / hold)
    }

    // MARK: Events

    /// Takes a permit. Only while both availabilities say so, or as a last resort.
    package mutating func admit(_ model: String, isLastResort: Bool = false, at now: Duration) -> Pass {
        permits.take()
        statistics.begin()
        if isLastResort { isProbed = true }
        let inModel = models.admit(model, isLastResort: isLastResort, at: now)
        var pass = Pass(
            model: model, admittedAt: now, breaker: breaker.admit(isLastResort: isLastResort, at: now), cooldown: cooldown.pass,
            ramp: ramp.admit(at: now), inModel: inModel, isLastResort: isLastResort)
        pass.awaitsBeginning =
            isLastResort || breaker.isProbed || ramp.isClimbing || models[model]?.awaitsBeginning(inModel, at: now) == true
        return pass
    }

    /// The answer has begun: its first event, or status and body of a whole one. That decides a probe, which may be a long stream.
    ///
    /// - Parameter pass: changes into what the attempt is to be ended with.
    /// - Returns: the circuit breakers that have changed.
    package mutating func begun(_ pass: inout Pass, at now: Duration) -> BreakerChanges {
        guard pass.awaitsBeginning else { return BreakerChanges() }
        let before = breakerStates(pass.model, at: now)
        pass.awaitsBeginning = false
        answered(&pass, at: now)
        if pass.isLastResort { heal() }
        let top = permits.limit
        var inModel = pass.inModel
        _ = models.change(pass.model) { $0.begun(&inModel, top: top, at: now) }
        pass.inModel = inModel
        return changes(since: before, of: pass.model, at: now)
    }

    /// Gives the permit back and takes note of what came of it.
    ///
    /// - Parameter jitter: 0 ..< 1.
    /// - Returns: the circuit breakers that have changed.
    @discardableResult
    package mutating func end(_ pass: Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) -> BreakerChanges {
        permits.giveBack()
        ramp.ended(pass.ramp)
        if pass.isLastResort { isProbed = false }
        let took = now - pass.admittedAt
        let attribution = Attribution(ending.outcome, hadUsualTime: hadUsualTime(pass, ending, took: took, at: now))
        let before = breakerStates(pass.model, at: now)

        if attribution.upstream == .success {
            var pass = pass
            if pass.awaitsBeginning { answered(&pass, at: now) }
            breaker.record(.success, of: pass.breaker, by: settings, at: now)
            if pass.isLastResort, attribution.model == .success { heal() }
        } else {
            breaker.record(attribution.upstream, of: pass.breaker, isRepeated: ending.isRepeated, by: settings, at: now)
        }
        if case .upstream(let seconds)? = attribution.rest {
            cooldown.begin(
                retryAfter: seconds.map { .seconds($0) }, isThrottle: true, of: pass.cooldown, shortest: Self.exhaustedPause, at: now, jitter: jitter)
            ramp.begin()
        }
        let (top, settings) = (permits.limit, settings)
        _ = models.change(pass.model) {
            $0.end(pass.inModel, ending, attribution, took: took, top: top, by: settings, at: now, jitter: jitter)
        }
        if ending.outcome == .succeeded || ending.outcome == .abandoned { answers.add(events: 1, at: now) }
        if ending.outcome == .succeeded { hold.add(took) }
        statistics.end(ending, at: now, took: took)
        let changes = changes(since: before, of: pass.model, at: now)
        statistics.opened += (changes.upstream == .open ? 1 : 0) + (changes.model?.state == .open ? 1 : 0)
        return changes
    }

    /// The operator has changed the limits. What is in flight stays, and so does everything that is known of the upstream.
    package mutating func reconfigure(maxConcurrency: Int, breaker settings: CircuitBreaker.Settings) {
        permits.limit = maxConcurrency
        models.changeAll { $0.topChanged(to: maxConcurrency) }
        self.settings = settings
    }

    /// Takes note of a health check. One that succeeds lets a probe through to whatever an open breaker keeps requests from.
    package mutating func note(_ probe: HealthRecord.Probe, at now: Duration, latency: Duration) {
        health.record(probe, at: now, latency: latency)
        guard probe == .passed else { return }
        breaker.allowProbe(at: now)
        models.changeAll { $0.allowProbe(at: now) }
    }

    /// The operator's word that the upstream is well again, or one of its models: closes breakers, ends cooldowns, and forgets what was
    /// learnt of limits.
    ///
    /// - Parameter model: nil for the upstream and all of its models.
    package mutating func reset(_ model: String? = nil) {
        if let model {
            _ = models.change(model) { $0.reset() }
            return
        }
        breaker.reset()
        cooldown.reset()
        ramp.reset()
        models.changeAll { $0.reset() }
    }

    private mutating func answered(_ pass: inout Pass, at now: Duration) {
        let wasOpen = breaker.state(at: now) != .closed
        pass.breaker = breaker.begun(pass.breaker, at: now)
        if wasOpen, breaker.state(at: now) == .closed { ramp.begin() }
        let wasCooling = cooldown.until(at: now) != nil
        cooldown.succeeded(pass.cooldown)
        ramp.answered(wasOpen || wasCooling ? ramp.pass : pass.ramp, top: permits.limit, at: now)
    }

    /// A last resort has been answered, whatever the health checks say.
    private mutating func heal() {
        guard !health.isHealthy else { return }
        health.answered()
        ramp.begin()
    }

    private typealias BreakerStates = (upstream: CircuitBreaker.State, model: CircuitBreaker.State)

    private func breakerStates(_ model: String, at now: Duration) -> BreakerStates {
        (breaker.state(at: now), models[model]?.breaker.state(at: now) ?? .closed)
    }

    private func changes(since before: BreakerStates, of model: String, at now: Duration) -> BreakerChanges {
        let after = breakerStates(model, at: now)
        return BreakerChanges(
            upstream: before.upstream == after.upstream ? nil : after.upstream, model: before.model == after.model ? nil : (model, after.model))
    }

    /// While nothing is known of the model, half of what a request has in all is what an answer may take.
    private func hadUsualTime(_ pass: Pass, _ ending: AttemptEnding, took: Duration, at now: Duration) -> Bool {
        guard ending.outcome == .outOfTime else { return true }
        return took >= usualTime(of: pass.model, isStreaming: ending.isStreaming, at: now) ?? ending.allowance / 2
    }
}

/// Circuit breakers that an attempt has changed, and what they are now.
package struct BreakerChanges: Sendable {
    package var upstream: CircuitBreaker.State?
    package var model: (id: String, state: CircuitBreaker.State)?

    package var isEmpty: Bool { upstream == nil && model == nil }
}
