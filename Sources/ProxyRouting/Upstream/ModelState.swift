/// All that changes about one model at one upstream, beside what is the upstream's own: whether it fails, throttles, how much of it is
/// taken at once, and how long its answers take. A value without I/O.
package struct ModelState: Sendable {
    /// What an admission has to be given back with.
    package struct Pass: Equatable, Sendable {
        fileprivate var breaker: CircuitBreaker.Pass
        fileprivate let cooldown: Cooldown.Pass
        fileprivate let slowStart: SlowStart.Pass
        fileprivate let limit: AdaptiveConcurrencyLimit.Pass
        fileprivate let isLastResort: Bool
        /// It finds out whether the model has to rest, and nothing has come of it yet.
        fileprivate var findsOut: Bool
        fileprivate var hasBegun = false
    }

    package private(set) var inFlight = 0
    package private(set) var breaker = CircuitBreaker()
    package private(set) var cooldown = Cooldown()
    package private(set) var limit = AdaptiveConcurrencyLimit()
    package private(set) var slowStart = SlowStart()
    /// From the permit to the end of a whole answer.
    private var nonStreaming = RecentDurations()
    /// From the permit to the first event of a stream.
    private var firstEvent = RecentDurations()
    /// For how long an answer holds its permit.
    private(set) var hold = MeanDuration()
    /// When a request was sent or ended last.
    package private(set) var lastUsed = Duration.zero
    /// A request was let through although the model rests, and nothing has come of it yet.
    private var isBeingTried = false
    /// When one was let through last.
    private var lastTriedAt: Duration?
    /// Of its answers.
    package private(set) var success = RecentSuccess()
    /// It has answered, or has refused in a way that says that it exists.
    private var isKnown = false

    package init() {}

    package func availability(at now: Duration) -> Availability {
        if let until = cooldown.until(at: now) {
            return .unavailable(.coolingDown(until: until, isThrottle: cooldown.isThrottle))
        }
        if let reason = breaker.reason(at: now) { return .unavailable(reason) }
        if !slowStart.hasCapacity(at: now) { return .full(until: slowStart.recheckAt(now)) }
        return limit.hasCapacity(besides: inFlight, at: now) ? .available : .full(until: limit.recheckAt(now))
    }

    /// Since when it rests, or has been found to have to; nil when it does not.
    package func restsSince(_ now: Duration) -> Duration? {
        guard let since = cooldown.since(at: now) ?? (breaker.admits(at: now) ? nil : breaker.openedAt) else {
            return nil
        }
        return max(since, lastTriedAt ?? since)
    }

    /// It rests, and one request may find out all the same whether it has to: not while one does already, and not when the upstream itself
    /// has named a moment that is near.
    package func allowsLastResort(at now: Duration) -> Bool {
        if isBeingTried || breaker.isProbed { return false }
        return cooldown.until(at: now).map { $0 - now > Patience.limit } ?? true
    }

    /// In which nine of ten answers come, or begin.
    package func usualTime(isStreaming: Bool, at now: Duration) -> Duration? {
        (isStreaming ? firstEvent : nonStreaming).percentile90(at: now)
    }

    /// In which an answer that begins now will come, or begin, with a chance that is worth it.
    package func safeTime(isStreaming: Bool, at now: Duration) -> Duration? {
        (isStreaming ? firstEvent : nonStreaming).nearlyAll(at: now)
    }

    /// Nobody would miss it.
    func isForgettable(at now: Duration) -> Bool {
        inFlight == 0
            && (!isKnown
                || breaker.isUntouched(at: now) && cooldown.until(at: now) == nil && limit.value == nil
                    && !slowStart.isClimbing)
    }

    /// Nothing but made-up names has been asked for here.
    var isUnknown: Bool { inFlight == 0 && !isKnown }

    /// Takes note of a request that is sent. Only while `availability` says so, or as a last resort.
    package mutating func admit(isLastResort: Bool, at now: Duration) -> Pass {
        inFlight += 1
        lastUsed = now
        let findsOut = isLastResort && restsSince(now) != nil
        if findsOut { (isBeingTried, lastTriedAt) = (true, now) }
        return Pass(
            breaker: breaker.admit(isLastResort: isLastResort, at: now), cooldown: cooldown.pass,
            slowStart: slowStart.admit(at: now), limit: limit.pass(rank: inFlight),
            isLastResort: isLastResort, findsOut: findsOut)
    }

    /// Something is learnt when the answer of this request begins, and not only when it ends.
    package func awaitsBeginning(_ pass: Pass, at now: Duration) -> Bool {
        pass.isLastResort || breaker.isProbed || slowStart.isClimbing || limit.isTry(pass.limit)
    }

    /// The answer has begun: that decides a probe, and makes room on the way up.
    package mutating func begun(_ pass: inout Pass, top: Int, at now: Duration) {
        guard !pass.hasBegun else { return }
        pass.hasBegun = true
        if pass.findsOut { isBeingTried = false }
        pass.findsOut = false
        let wasOpen = breaker.state(at: now) != .closed
        pass.breaker = breaker.begun(pass.breaker, at: now)
        answered(pass, wasOpen: wasOpen, top: top, at: now)
    }

    /// - Parameters:
    ///   - took: since the permit.
    ///   - top: `max_concurrency`.
    ///   - jitter: 0 ..< 1.
    package mutating func end(
        _ pass: Pass, _ ending: AttemptEnding, _ attribution: Attribution, took: Duration, top: Int,
        by settings: CircuitBreaker.Settings,
        at now: Duration, jitter: Double
    ) {
        inFlight -= 1
        lastUsed = now
        if pass.findsOut { isBeingTried = false }
        slowStart.end(pass.slowStart)
        let wasOpen = breaker.state(at: now) != .closed
        breaker.record(attribution.model, of: pass.breaker, isRepeated: ending.isCounted.model, by: settings, at: now)
        switch ending.outcome {
        case .succeeded, .failed, .unavailable, .timedOut, .outOfTime, .rateLimited: isKnown = true
        // What nobody serves ends so, too.
        case .abandoned, .interrupted, .refused, .promptTooLong, .modelNotAllowed, .modelUnavailable, .unreachable,
            .brokenOff, .connectTimedOut,
            .credentialsRefused, .credentialsDoubted, .accountExhausted, .accountDoubted:
            break
        }
        success.note(ending, at: now)
        if attribution.model == .success {
            if !pass.hasBegun { answered(pass, wasOpen: wasOpen, top: top, at: now) }
            remember(ending, took: took, at: now)
        }
        if case .model(let seconds, let isThrottle)? = attribution.rest {
            let wait = seconds.map { Duration.seconds($0) }
            guard !isThrottle || limit.refused(pass.limit, inFlight: inFlight, retryAfter: wait, at: now) == .down
            else { return }
            if cooldown.begin(retryAfter: wait, isThrottle: isThrottle, of: pass.cooldown, at: now, jitter: jitter) {
                slowStart.begin()
            }
        }
    }

    /// A health check has found the upstream well.
    package mutating func allowProbe(at now: Duration) { breaker.allowProbe(at: now) }

    /// The operator has changed `max_concurrency`.
    package mutating func topChanged(to top: Int) { limit.topChanged(to: top) }

    /// The operator's word that it is well again.
    package mutating func reset() {
        breaker.reset()
        cooldown.reset()
        limit.reset()
        slowStart.reset()
    }

    // MARK: Other instances

    /// Another instance does not ask for it any more, because it fails.
    ///
    /// - Returns: whether one request is to find out here; not when it has just answered.
    package mutating func doubt(at now: Duration) -> Bool {
        success.vouches(at: now) ? false : breaker.doubt(at: now)
    }

    /// Another instance has found out how much of it is taken at once.
    ///
    /// - Parameters:
    ///   - part: of that, for this instance; 1 or more.
    ///   - top: `max_concurrency`.
    /// - Returns: whether that is news here.
    package mutating func hear(limit part: Int, top: Int, at now: Duration) -> Bool {
        guard part < top, limit.value.map({ $0 > part }) ?? true else { return false }
        restore(UpstreamMemory.Model(limit: part), top: top, at: now)
        return true
    }

    // MARK: Memory

    /// What is worth knowing after a restart.
    package func memory(at now: Duration) -> UpstreamMemory.Model {
        UpstreamMemory.Model(rest: cooldown.memory(at: now), limit: limit.value)
    }

    /// Goes on with what a process before has learnt.
    ///
    /// - Parameter top: `max_concurrency`.
    package mutating func restore(_ memory: UpstreamMemory.Model, top: Int, at now: Duration) {
        (isKnown, lastUsed) = (true, now)
        if let kept = memory.limit { limit.restore(kept, top: top, at: now) }
        guard let rest = memory.rest else { return }
        cooldown.restore(rest, at: now)
        slowStart.begin()
    }

    private mutating func answered(_ pass: Pass, wasOpen: Bool, top: Int, at now: Duration) {
        if wasOpen, breaker.state(at: now) == .closed { slowStart.begin() }
        let wasCooling = cooldown.until(at: now) != nil && cooldown.isCurrent(pass.cooldown)
        cooldown.succeeded(pass.cooldown)
        // Who has found out that it is well again is the first on the way up.
        slowStart.answered(
            wasOpen || wasCooling ? slowStart.pass : pass.slowStart, top: min(top, limit.value ?? top), at: now)
        limit.answered(pass.limit, top: top, at: now)
    }

    private mutating func remember(_ ending: AttemptEnding, took: Duration, at now: Duration) {
        if let first = ending.firstEvent { firstEvent.add(first, at: now) } else { nonStreaming.add(took, at: now) }
        hold.add(took)
    }
}
