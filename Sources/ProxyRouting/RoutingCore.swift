/// Which upstream a request goes to, or where it waits. A value: no clock, no I/O, no randomness.
///
/// Whatever may free a waiter (`end`, `begun`, `upstreamChanged`, time: `nextMoment`) ends with `dispatch`, which goes on until nobody in
/// the queue can be served. So whoever arrives finds a queue in which nobody could take what it takes, and overtakes nobody.
package struct RoutingCore: Sendable {
    package typealias Ticket = RouteRequest.Ticket

    package struct Limits: Equatable, Sendable {
        /// Requests in flight in the whole proxy.
        package var concurrency: Int
        /// Requests that may wait.
        package var queue: Int

        package init(concurrency: Int, queue: Int) {
            self.concurrency = concurrency
            self.queue = queue
        }
    }

    /// What the configuration says of an upstream, as far as it decides about its share.
    package struct Member: Equatable, Sendable {
        /// 1...1000.
        package var weight: Int
        package var maxConcurrency: Int
        /// Upstreams of one tenancy and region share one throttle for each model at Oracle: the same number for the same throttle.
        package var throttle: Int
        /// It belongs to an older configuration, and serves nobody new.
        package var isRetired: Bool

        package init(weight: Int, maxConcurrency: Int, throttle: Int, isRetired: Bool = false) {
            self.weight = weight
            self.maxConcurrency = maxConcurrency
            self.throttle = throttle
            self.isRetired = isRetired
        }
    }

    /// An upstream's permit and one of the global semaphore, both held until `end`.
    package struct Permit: Equatable, Sendable {
        package let upstream: Int
        package fileprivate(set) var pass: UpstreamState.Pass
        /// What `end` has to know of the request.
        fileprivate let isStreaming: Bool
        fileprivate let allowance: Duration
        fileprivate let isCounted: CountedFailures
    }

    package enum Decision: Equatable, Sendable {
        case admitted(Permit)
        case waits
        case refused(RouteRefusal)
    }

    /// What has become of a waiter.
    package struct Release: Equatable, Sendable {
        package let ticket: Ticket
        package let result: Result<Permit, RouteRefusal>
    }

    package private(set) var limits: Limits
    package private(set) var permits: PermitCounter
    package private(set) var statistics = QueueStatistics()
    private var strategy: any BalancingStrategy
    /// Second and further attempts take turns of their own. In one common turn over two accounts, the retry of a request that
    /// met the dead one would move the turn on, and the next request would meet the dead one again, and so would each.
    private var retryStrategy: any BalancingStrategy
    private var queue = WaitingQueue() {
        didSet { waiting = queue.count }
    }
    private var budget = RetryBudget()
    private var readiness = Readiness()
    private var bulkheads = Bulkheads()
    private var lastResort = LastResort()
    private var loads = UpstreamLoads()
    /// The last decision has passed over some of those that could serve the request.
    package private(set) var hasPassedOver = false

    package init(limits: Limits, strategy: any BalancingStrategy, members: [Member]) {
        self.limits = limits
        self.strategy = strategy
        retryStrategy = strategy
        permits = PermitCounter(limit: limits.concurrency)
        take(members)
    }

    /// How many wait. Stored, since it is asked for with every attempt: a computed one of another module would have all of this copied.
    package private(set) var waiting = 0

    /// How many wait that an upstream could serve.
    package func waiting(for upstream: Int) -> Int { queue.isEmpty ? 0 : queue.count(for: upstream) }

    // MARK: Events

    /// A request wants an upstream. When it waits, a `Release` will name it, and another may name who gives up a place for it.
    package mutating func arrive(
        _ request: RouteRequest, at now: Duration, _ upstreams: inout some UpstreamTable
    ) -> (decision: Decision, releases: [Release]) {
        if !request.terms.isRetry { budget.noteRequest(at: now) }
        // Who has most of its time gets its chance, however slow the model is: else one that has become slow would never be found out to be quick
        // again. Who has less is a retry, a fallback, or was slow to arrive.
        let remaining = request.deadline - now
        let isHurried = remaining + remaining < request.allowance
        switch choose(request, isHurried: isHurried, at: now, upstreams) {
        case .tooLate:
            statistics.rejected += 1
            // There is a permit, and only its own time is too short.
            return (.refused(.queueTimeout(retryAfter: secondsUntilServed(.zero, at: now))), [])
        case .one(let index, let isLastResort):
            return (.admitted(admit(index, request, isLastResort: isLastResort, at: now, &upstreams)), [])
        case .none(let refusal):
            // One that comes back weighs a pause against asking again who has failed it.
            guard !request.terms.isRetry, case .unavailable(let outlook) = refusal,
                isWorthWaiting(outlook, for: request, at: now)
            else {
                return (.refused(refusal), [])
            }
            return enqueue(request, latestStart: request.deadline, wait: nil, at: now)
        case .allFull:
            let candidates = readiness.candidates(
                among: request.terms.accepts, for: request.terms.model, at: now, upstreams
            ).inService
            let latestStart = latestStart(of: request, among: candidates, at: now, upstreams)
            guard let pace = pace(for: request.terms.model, among: candidates, at: now, upstreams) else {
                return enqueue(request, latestStart: latestStart, wait: nil, at: now)
            }
            let releases = sendAwayHopeless(pace: pace, before: request, latestStart: latestStart, at: now)
            let (decision, more) = enqueue(
                request, latestStart: latestStart, wait: wait(places: queue.placesBefore(request), pace), at: now)
            return (decision, releases + more)
        }
    }

    /// The operator has changed the limits or the strategy, or who serves. Nobody in the queue loses the place, not even when it is longer now
    /// than it may be.
    package mutating func reconfigure(
        _ limits: Limits, strategy: any BalancingStrategy, members: [Member], at now: Duration,
        _ upstreams: inout some UpstreamTable
    ) -> [Release] {
        self.limits = limits
        permits.limit = limits.concurrency
        self.strategy = strategy
        retryStrategy = strategy
        take(members)
        for index in members.indices { readiness.update(index, at: now, upstreams) }
        return dispatch(at: now, &upstreams)
    }

    /// Something else than an attempt has changed an upstream: a health check, the operator's word.
    package mutating func upstreamChanged(_ index: Int, at now: Duration, _ upstreams: inout some UpstreamTable)
        -> [Release]
    {
        readiness.update(index, at: now, upstreams)
        return dispatch(at: now, &upstreams)
    }

    /// A process before has told what it knew of an upstream, and of these models there.
    package mutating func restored(
        _ index: Int, models: some Sequence<String>, at now: Duration, _ upstreams: some UpstreamTable
    ) {
        readiness.update(index, at: now, upstreams)
        for model in models { readiness.update(index, upstreams.view(of: index, model: model, at: now), model: model) }
    }

    /// A waiter's task was cancelled.
    ///
    /// - Returns: false when it is not waiting any more: then its permit is on its way and has to be given back.
    package mutating func abandon(_ ticket: Ticket) -> Bool {
        guard queue.remove(ticket) != nil else { return false }
        statistics.cancelled += 1
        return true
    }

    /// An attempt's answer has begun. Only to be told when the permit awaits it (`UpstreamState.Pass.awaitsBeginning`).
    package mutating func begun(_ permit: inout Permit, at now: Duration, _ upstreams: inout some UpstreamTable)
        -> [Release]
    {
        let (pass, view) = upstreams.begun(permit.upstream, permit.pass, at: now)
        permit.pass = pass
        readiness.update(permit.upstream, view, model: pass.model)
        return dispatch(at: now, &upstreams)
    }

    /// An attempt has ended: its permits are free, and its upstream has shown how it does.
    package mutating func end(
        _ permit: Permit, _ ending: AttemptEnding, at now: Duration, jitter: Double,
        _ upstreams: inout some UpstreamTable
    ) -> [Release] {
        var ending = ending
        (ending.isStreaming, ending.allowance, ending.isCounted) = (
            permit.isStreaming, permit.allowance, permit.isCounted
        )
        let index = permit.upstream
        let view = upstreams.end(index, permit.pass, ending, at: now, jitter: jitter)
        permits.giveBack()
        loads.inFlight[index] -= 1
        bulkheads.givenBack(index, inFlight: loads.inFlight[index])
        readiness.update(index, view, model: permit.pass.model)
        readiness.tidy(at: now, upstreams)
        return queue.isEmpty ? [] : dispatch(at: now, &upstreams)
    }

    /// Serves whoever can be served, and sends away whoever waits in vain. To be called whenever `nextMoment` has come.
    package mutating func dispatch(at now: Duration, _ upstreams: inout some UpstreamTable) -> [Release] {
        guard !queue.isEmpty else { return [] }
        var releases: [Release] = []
        var isDone = false
        while !isDone {
            isDone = true
            for head in queue.heads {
                switch choose(head, isHurried: true, at: now, upstreams) {
                case .allFull: continue
                case .tooLate:
                    if let waiter = queue.remove(head.ticket) { releases.append(overdue(waiter, at: now, upstreams)) }
                case .one(let index, let isLastResort):
                    guard let waiter = queue.serve(head.ticket) else { continue }
                    statistics.wait.record(now - waiter.since)
                    let permit = admit(index, head, isLastResort: isLastResort, at: now, &upstreams)
                    releases.append(Release(ticket: head.ticket, result: .success(permit)))
                case .none(.unavailable(let outlook)) where Self.isNear(outlook, at: now): continue
                case .none(let refusal):
                    releases += queue.removeAll(on: head.terms).map { Release(ticket: $0, result: .failure(refusal)) }
                }
                isDone = false
                // The next in that row may come before the next head.
                break
            }
        }
        // Whose time is up just now has been served if it could be.
        for waiter in queue.removeOverdue(at: now) { releases.append(overdue(waiter, at: now, upstreams)) }
        return releases
    }

    /// When something may change for those who wait without any event: a deadline passes, an upstream may be used again. Nil
    /// when nobody waits.
    package func nextMoment(at now: Duration, _ upstreams: some UpstreamTable) -> Duration? {
        guard var instant = queue.nextDeadline else { return nil }
        for terms in queue.terms {
            let (accepted, model) = (terms.accepts, terms.model)
            // What has passed and has not been looked at yet is looked at with the next decision.
            if let recheck = readiness.recheckAt(model) { instant = min(instant, max(recheck, now + .milliseconds(1))) }
            guard permits.hasRoom, readiness.areAllResting(among: accepted, for: model) else { continue }
            if let next = lastResort.nextMoment(
                for: terms, at: now, { upstreams.lastResort($0, model: model, at: now) })
            {
                instant = min(instant, next)
            }
        }
        return instant
    }

    /// Why others than the one that was chosen were not: the first of those that may serve a request and could not take it just now. Worth asking when the
    /// last decision `hasPassedOver` somebody.
    package func passedOver(
        _ terms: RouteRequest.Terms, by decision: Decision, at now: Duration, _ upstreams: some UpstreamTable
    ) -> [PassedOver] {
        // The chosen one may be full now by this very request.
        let chosen = if case .admitted(let permit) = decision { permit.upstream } else { -1 }
        var passedOver: [PassedOver] = []
        for index in terms.accepts where index != chosen && passedOver.count < PassedOver.most {
            let view = upstreams.view(of: index, model: terms.model, at: now)
            if view.own != .available {
                passedOver.append(PassedOver(upstream: index, isOfModel: false, availability: view.own))
            } else if view.model != .available {
                passedOver.append(PassedOver(upstream: index, isOfModel: true, availability: view.model))
            }
        }
        return passedOver
    }

    /// What is known about upstreams that are out of use; `earliest` is now when one of them is not.
    ///
    /// - Parameter notBefore: when each may be asked by who wants to know.
    package func outlook(
        of accepted: UpstreamSet, for model: String, notBefore: [Int: Duration] = [:], at now: Duration,
        _ upstreams: some UpstreamTable
    ) -> RouteRefusal.Outlook {
        var outlook = OutlookOfAll()
        for index in accepted {
            outlook.add(upstreams.view(of: index, model: model, at: now), from: max(now, notBefore[index] ?? now))
        }
        return outlook.value
    }

    // MARK: Decisions

    private enum Choice {
        case one(Int, isLastResort: Bool = false)
        /// One of the accepted upstreams would do, if it, or the proxy, had a permit left.
        case allFull
        /// None of them usually answers in the time that is left.
        case tooLate
        case none(RouteRefusal)
    }

    /// - Parameter isHurried: it has to be asked whether there is time for a usual answer.
    private mutating func choose(
        _ request: RouteRequest, isHurried: Bool, at now: Duration, _ upstreams: some UpstreamTable
    ) -> Choice {
        let terms = request.terms
        var candidates = readiness.candidates(among: terms.accepts, for: terms.model, at: now, upstreams)
        hasPassedOver = candidates.open != terms.accepts
        if candidates.inService.isEmpty { return chooseLastResort(terms, at: now, upstreams) }
        if terms.isRetry, !budget.allowsRetry(at: now) {
            for index in candidates.inService where drawsOnBudget(index, terms, upstreams) {
                candidates.inService.remove(index)
                candidates.open.remove(index)
            }
            if candidates.inService.isEmpty { return .none(.retryBudgetSpent) }
        }
        if isHurried {
            for index in candidates.inService where !hasTime(request, at: index, now, upstreams) {
                candidates.inService.remove(index)
                candidates.open.remove(index)
            }
            if candidates.inService.isEmpty { return .tooLate }
        }
        guard permits.hasRoom else { return .allFull }
        if !bulkheads.areAllOpen(free: permits.available) {
            candidates.open = UpstreamSet(
                candidates.open.filter { bulkheads.allows($0, inFlight: loads.inFlight[$0], free: permits.available) })
        }
        guard !candidates.open.isEmpty else { return .allFull }
        return .one(
            terms.isRetry
                ? retryStrategy.pick(among: candidates.open, loads) : strategy.pick(among: candidates.open, loads))
    }

    /// All that may serve the request rest.
    private func chooseLastResort(_ terms: RouteRequest.Terms, at now: Duration, _ upstreams: some UpstreamTable)
        -> Choice
    {
        if permits.hasRoom, !terms.isRetry || budget.allowsRetry(at: now) {
            let index = lastResort.pick(for: terms, at: now) { upstreams.lastResort($0, model: terms.model, at: now) }
            if let index { return .one(index, isLastResort: true) }
        }
        return .none(.unavailable(outlook(of: terms.accepts, for: terms.model, at: now, upstreams)))
    }

    /// Moving on to an upstream that is well costs nothing; asking one again that has failed is what makes outages worse.
    private func drawsOnBudget(_ index: Int, _ terms: RouteRequest.Terms, _ upstreams: some UpstreamTable) -> Bool {
        terms.isRetry && (terms.haveFailed.contains(index) || upstreams.isFailing(index, model: terms.model))
    }

    private mutating func admit(
        _ index: Int, _ request: RouteRequest, isLastResort: Bool, at now: Duration,
        _ upstreams: inout some UpstreamTable
    ) -> Permit {
        let terms = request.terms
        if terms.isRetry, drawsOnBudget(index, terms, upstreams) { budget.noteRetry(at: now) }
        if isLastResort { lastResort.note(terms, at: now) }
        permits.take()
        loads.inFlight[index] += 1
        bulkheads.taken(index, inFlight: loads.inFlight[index])
        let (pass, view) = upstreams.admit(index, model: terms.model, isLastResort: isLastResort, at: now)
        readiness.update(index, view, model: terms.model)
        return Permit(
            upstream: index, pass: pass, isStreaming: request.isStreaming, allowance: request.allowance,
            isCounted: CountedFailures(
                model: request.countedModels.contains(index), upstream: request.countedUpstreams.contains(index)))
    }

    private mutating func take(_ members: [Member]) {
        loads.weights = members.map(\.weight)
        if loads.inFlight.count < members.count {
            loads.inFlight += Array(repeating: 0, count: members.count - loads.inFlight.count)
        }
        readiness.configure(throttles: members.map(\.throttle))
        bulkheads.configure(
            permits: limits.concurrency, limits: members.map { $0.isRetired ? nil : $0.maxConcurrency },
            inFlight: loads.inFlight)
    }

    // MARK: Waiting

    /// - Parameter wait: how long it will wait, as far as one can tell.
    private mutating func enqueue(
        _ request: RouteRequest, latestStart: Duration, wait: Duration?, at now: Duration
    ) -> (decision: Decision, releases: [Release]) {
        guard latestStart > now, wait.map({ now + $0 <= latestStart }) ?? true else {
            statistics.rejected += 1
            return (.refused(.queueTimeout(retryAfter: secondsUntilServed(wait, at: now))), [])
        }
        var releases: [Release] = []
        if queue.count >= limits.queue {
            statistics.rejected += 1
            let refusal = RouteRefusal.queueFull(retryAfter: secondsUntilServed(wait, at: now))
            guard limits.queue > 0, let crowder = queue.crowder(for: request) else { return (.refused(refusal), []) }
            queue.remove(crowder)
            releases.append(Release(ticket: crowder, result: .failure(refusal)))
        }
        queue.append(request, latestStart: latestStart, at: now)
        statistics.enqueued += 1
        statistics.peak = max(statistics.peak, queue.count)
        return (.waits, releases)
    }

    /// A waiter who cannot be served in time any more.
    private mutating func overdue(_ waiter: WaitingQueue.Waiter, at now: Duration, _ upstreams: some UpstreamTable)
        -> Release
    {
        statistics.timedOut += 1
        let request = waiter.request
        let pace = pace(for: request.terms.model, among: request.terms.accepts, at: now, upstreams)
        let seconds = secondsUntilServed(
            pace.map { wait(places: queue.placesBefore(request), $0) } ?? now - waiter.since, at: now)
        return Release(ticket: request.ticket, result: .failure(.queueTimeout(retryAfter: seconds)))
    }

    /// For those who come while all rest: until a moment that is near, and within the request's own time.
    private func isWorthWaiting(_ outlook: RouteRefusal.Outlook, for request: RouteRequest, at now: Duration) -> Bool {
        guard Self.isNear(outlook, at: now), let earliest = outlook.earliest else { return false }
        return earliest < request.deadline
    }

    private static func isNear(_ outlook: RouteRefusal.Outlook, at now: Duration) -> Bool {
        outlook.earliest.map { $0 - now <= Patience.limit } ?? false
    }

    /// Whether an answer that takes as long as they usually do would still be in time.
    private func hasTime(_ request: RouteRequest, at index: Int, _ now: Duration, _ upstreams: some UpstreamTable)
        -> Bool
    {
        let usual =
            upstreams.safeTime(of: index, model: request.terms.model, isStreaming: request.isStreaming, at: now)
            ?? .zero
        return request.deadline > now && request.deadline - now >= usual
    }

    /// When an answer that takes as long as they usually do would come too late.
    private func latestStart(
        of request: RouteRequest, among candidates: UpstreamSet, at now: Duration, _ upstreams: some UpstreamTable
    ) -> Duration {
        var fastest: Duration?
        for index in candidates {
            guard
                let usual = upstreams.safeTime(
                    of: index, model: request.terms.model, isStreaming: request.isStreaming, at: now)
            else {
                return request.deadline
            }
            fastest = min(fastest ?? usual, usual)
        }
        return request.deadline - (fastest ?? .zero)
    }

    /// Permits that come back to the candidates in a second. Nil when nobody knows.
    private func pace(
        for model: String, among candidates: UpstreamSet, at now: Duration, _ upstreams: some UpstreamTable
    ) -> Double? {
        var pace = 0.0
        for index in candidates {
            guard let part = upstreams.pace(of: index, model: model, at: now) else { return nil }
            pace += part
        }
        return pace > 0 ? pace : nil
    }

    /// How long so many need, and the one behind them.
    private func wait(places: Int, _ pace: Double) -> Duration { .seconds(Double(places + 1) / pace) }

    /// The line may be longer than it should: it grew while nobody knew the pace, or the pace was better then. Those at its end would be sent
    /// away when their time is up, and until then they would keep out who comes later and has time for longer.
    private mutating func sendAwayHopeless(
        pace: Double, before request: RouteRequest, latestStart: Duration, at now: Duration
    ) -> [Release] {
        guard now + wait(places: queue.placesBefore(request), pace) > latestStart else { return [] }
        var releases: [Release] = []
        // A few for each that comes: the line gets shorter, and no decision is long.
        while releases.count < 4, let last = queue.last(of: request.terms.accepts),
            last.waiter.latestStart < latestStart
        {
            let wait = wait(places: last.places, pace)
            // By a margin: nobody knows the pace so well.
            guard now + wait * 0.95 > last.waiter.latestStart else { break }
            queue.remove(last.waiter.request.ticket)
            statistics.timedOut += 1
            releases.append(
                Release(
                    ticket: last.waiter.request.ticket,
                    result: .failure(.queueTimeout(retryAfter: secondsUntilServed(wait, at: now)))))
        }
        return releases
    }

    /// For `retry-after`. 1...60.
    ///
    /// - Parameter wait: how long it would be. Nil while nobody knows the pace: then nothing has come back for as long as the one who has waited longest, and
    ///   may not for as long again.
    private func secondsUntilServed(_ wait: Duration?, at now: Duration) -> Int {
        let wait = wait ?? queue.longestWait(at: now)
        return min(max(Int(clamping: wait.components.seconds) + 1, 1), 60)
    }
}

/// Gathers what is known about several upstreams that are out of use.
private struct OutlookOfAll {
    private var earliest: Duration?
    private var isThrottled = true
    private var isEmpty = true

    mutating func add(_ view: UpstreamView, from instant: Duration) {
        isEmpty = false
        var until: Duration? = instant
        var isThrottled = false
        // Both have to come back.
        for case .unavailable(let reason) in [view.own, view.model] {
            isThrottled = isThrottled || reason.isThrottle
            until = if let known = until, let instant = reason.until { max(known, instant) } else { nil }
        }
        if !isThrottled { self.isThrottled = false }
        if let until { earliest = min(earliest ?? until, until) }
    }

    var value: RouteRefusal.Outlook { .init(earliest: earliest, isThrottled: isThrottled && !isEmpty) }
}
