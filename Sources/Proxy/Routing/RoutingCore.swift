/// The upstreams as the routing core sees them, by their place in the list: actors in the process, plain values in a
/// simulation. Whatever stands behind it answers at once: a routing decision never waits between a look and a grab.
package protocol UpstreamTable {
    /// How an upstream does now.
    func view(of index: Int, at now: Duration) -> UpstreamView
    /// Takes a permit of an upstream that is ready.
    mutating func admit(_ index: Int, at now: Duration) -> UpstreamState.Pass
    /// Gives it back.
    mutating func end(_ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double)
}

/// What a routing decision depends on.
package struct UpstreamView: Sendable {
    package var standing: UpstreamState.Standing
    package var inFlight: Int
    package var weight: Int
    /// Its last counted attempt failed.
    package var isFailing: Bool
    /// Upstreams of one tenancy and region share one throttle at Oracle: the same number for the same throttle.
    package var throttle: Int

    package init(standing: UpstreamState.Standing, inFlight: Int, weight: Int, isFailing: Bool, throttle: Int) {
        self.standing = standing
        self.inFlight = inFlight
        self.weight = weight
        self.isFailing = isFailing
        self.throttle = throttle
    }
}

/// Which upstream a request goes to, or where it waits (section 4 of the contract). A value: no clock, no I/O, no randomness.
///
/// Whatever may free a waiter (`end`, `upstreamsChanged`, time: `nextMoment`) ends with `dispatch`, which goes on until nobody in
/// the line can be served. So whoever arrives finds a line in which nobody could take what it takes, and overtakes nobody.
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

    /// An upstream's permit and one of the global semaphore, both held until `end`.
    package struct Permit: Equatable, Sendable {
        package let upstream: Int
        package let pass: UpstreamState.Pass
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

    /// For this long, those who wait already go on waiting for upstreams that will come back by themselves.
    package static let patience = Duration.seconds(5)

    package private(set) var limits: Limits
    package private(set) var permits: PermitCounter
    package private(set) var queue = QueueStatistics()
    private var strategy: any BalancingStrategy
    /// Second and further attempts take turns of their own. In one common turn over two accounts, the retry of a request that
    /// met the dead one would move the turn on, and the next request would meet the dead one again, and so would each.
    private var retryStrategy: any BalancingStrategy
    private var line = WaitingLine()
    private var budget = RetryBudget()
    /// Ends of attempts, to guess how fast the line moves.
    private var ended = RollingCounts(seconds: 10)
    /// Until when a shared throttle is known to be in force.
    private var throttledUntil: [Int: Duration] = [:]
    /// Kept between decisions, for their storage.
    private var candidates: [Candidate] = []

    package init(limits: Limits, strategy: any BalancingStrategy) {
        self.limits = limits
        self.strategy = strategy
        retryStrategy = strategy
        permits = PermitCounter(limit: limits.concurrency)
    }

    package var waiting: Int { line.count }

    // MARK: Events

    /// A request wants an upstream. When it waits, a `Release` will name it.
    package mutating func arrive(_ request: RouteRequest, at now: Duration, _ upstreams: inout some UpstreamTable) -> Decision {
        if !request.terms.isRetry { budget.noteRequest(at: now) }
        switch choose(request.terms, at: now, upstreams) {
        case .one(let index): return .admitted(admit(index, request.terms, at: now, &upstreams))
        case .none(let refusal): return .refused(refusal)
        case .allFull:
            guard line.count < limits.queue else {
                queue.rejected += 1
                return .refused(.queueFull(retryAfter: secondsUntilServed(line.count + 1, at: now)))
            }
            guard request.deadline > now else {
                queue.timedOut += 1
                return .refused(.queueTimeout(retryAfter: secondsUntilServed(line.count + 1, at: now)))
            }
            line.append(request, at: now)
            queue.enqueued += 1
            queue.peak = max(queue.peak, line.count)
            return .waits
        }
    }

    /// The operator has changed the limits or the strategy. Nobody in the line loses the place, not even when it is longer now than it
    /// may be.
    package mutating func reconfigure(
        _ limits: Limits, strategy: any BalancingStrategy, at now: Duration, _ upstreams: inout some UpstreamTable
    ) -> [Release] {
        self.limits = limits
        permits.limit = limits.concurrency
        self.strategy = strategy
        retryStrategy = strategy
        return dispatch(at: now, &upstreams)
    }

    /// A waiter's task was cancelled.
    ///
    /// - Returns: false when it is not waiting any more: then its permit is on its way and has to be given back.
    package mutating func abandon(_ ticket: Ticket) -> Bool {
        guard line.remove(ticket) != nil else { return false }
        queue.cancelled += 1
        return true
    }

    /// An attempt has ended: its permits are free, and its upstream has shown how it does.
    package mutating func end(
        _ permit: Permit, _ ending: AttemptEnding, at now: Duration, jitter: Double, _ upstreams: inout some UpstreamTable
    ) -> [Release] {
        upstreams.end(permit.upstream, permit.pass, ending, at: now, jitter: jitter)
        permits.giveBack()
        ended.add(events: 1, at: now)
        if case .rateLimited = ending.outcome {
            let view = upstreams.view(of: permit.upstream, at: now)
            if case .resting(let until?, isThrottled: true) = view.standing { throttledUntil[view.throttle] = until }
        }
        return dispatch(at: now, &upstreams)
    }

    /// Serves whoever can be served, and sends away whoever waits in vain. To be called whenever an upstream has changed or
    /// `nextMoment` has come.
    package mutating func dispatch(at now: Duration, _ upstreams: inout some UpstreamTable) -> [Release] {
        guard !line.isEmpty else { return [] }
        var releases: [Release] = []
        for ticket in line.removeOverdue(at: now) {
            queue.timedOut += 1
            releases.append(Release(ticket: ticket, result: .failure(.queueTimeout(retryAfter: secondsUntilServed(line.count + 1, at: now)))))
        }
        var isDone = false
        while !isDone {
            isDone = true
            for head in line.heads {
                switch choose(head.terms, at: now, upstreams) {
                case .allFull: continue
                case .one(let index):
                    guard let waiter = line.remove(head.ticket) else { continue }
                    queue.wait.record(now - waiter.since)
                    releases.append(Release(ticket: head.ticket, result: .success(admit(index, head.terms, at: now, &upstreams))))
                case .none(.unavailable(let outlook)) where (outlook.earliest ?? .seconds(Int64.max)) - now <= Self.patience: continue
                case .none(let refusal):
                    releases += line.removeAll(on: head.terms).map { Release(ticket: $0, result: .failure(refusal)) }
                }
                isDone = false
                // The next in that row may be older than the next head.
                break
            }
        }
        return releases
    }

    /// When something may change for those who wait without any event: a deadline passes, an upstream may be used again. Nil
    /// when nobody waits.
    package func nextMoment(at now: Duration, _ upstreams: some UpstreamTable) -> Duration? {
        guard var moment = line.nextDeadline else { return nil }
        for head in line.heads {
            for index in head.terms.accepts {
                if case .resting(let until?, _) = upstreams.view(of: index, at: now).standing { moment = min(moment, until) }
            }
        }
        return moment
    }

    /// What is known about upstreams that are out of use; `earliest` is now when one of them is not.
    package func outlook(of accepted: UpstreamSet, at now: Duration, _ upstreams: some UpstreamTable) -> RouteRefusal.Outlook {
        var outlook = OutlookOfAll()
        for index in accepted {
            switch upstreams.view(of: index, at: now).standing {
            case .ready, .full: outlook.add(until: now, isThrottled: false)
            case .resting(let until, let isThrottled): outlook.add(until: until, isThrottled: isThrottled)
            }
        }
        return outlook.value
    }

    // MARK: Decisions

    private enum Choice {
        case one(Int)
        /// One of the accepted upstreams would do, if it, or the proxy, had a permit left.
        case allFull
        case none(RouteRefusal)
    }

    private mutating func choose(_ terms: RouteRequest.Terms, at now: Duration, _ upstreams: some UpstreamTable) -> Choice {
        candidates.removeAll(keepingCapacity: true)
        var lastResorts: [Candidate] = []
        var isAnyFull = false
        var isBudgetSpent = false
        var outlook = OutlookOfAll()
        for index in terms.accepts {
            let view = upstreams.view(of: index, at: now)
            switch view.standing {
            case .resting(let until, let isThrottled): outlook.add(until: until, isThrottled: isThrottled)
            case .ready, .full:
                if drawsOnBudget(index, view, terms), !budget.allowsRetry(at: now) {
                    isBudgetSpent = true
                } else if view.standing == .full {
                    isAnyFull = true
                } else {
                    let candidate = Candidate(index: index, weight: view.weight, inFlight: view.inFlight)
                    if let until = throttledUntil[view.throttle], until > now {
                        lastResorts.append(candidate)
                    } else {
                        candidates.append(candidate)
                    }
                }
            }
        }
        if candidates.isEmpty { candidates = lastResorts }
        if candidates.isEmpty {
            if isAnyFull { return .allFull }
            return .none(isBudgetSpent ? .retryBudgetSpent : .unavailable(outlook.value))
        }
        guard permits.hasRoom else { return .allFull }
        let pick = terms.isRetry ? retryStrategy.pick(among: candidates) : strategy.pick(among: candidates)
        return .one(candidates[pick].index)
    }

    /// Moving on to an upstream that is well costs nothing; asking one again that has failed is what makes outages worse.
    private func drawsOnBudget(_ index: Int, _ view: UpstreamView, _ terms: RouteRequest.Terms) -> Bool {
        terms.isRetry && (view.isFailing || terms.haveFailed.contains(index))
    }

    private mutating func admit(
        _ index: Int, _ terms: RouteRequest.Terms, at now: Duration, _ upstreams: inout some UpstreamTable
    ) -> Permit {
        if terms.isRetry, drawsOnBudget(index, upstreams.view(of: index, at: now), terms) { budget.noteRetry(at: now) }
        permits.take()
        return Permit(upstream: index, pass: upstreams.admit(index, at: now))
    }

    /// A guess for `retry-after`: how long so many need at the pace of the last 10 s. 1...60.
    private func secondsUntilServed(_ count: Int, at now: Duration) -> Int {
        let (ended, _) = ended.totals(at: now)
        return ended == 0 ? 5 : min(max((count * 10 + ended - 1) / ended, 1), 60)
    }
}

/// Gathers what is known about several upstreams that are out of use.
private struct OutlookOfAll {
    private var earliest: Duration?
    private var isThrottled = true
    private var isEmpty = true

    mutating func add(until: Duration?, isThrottled: Bool) {
        isEmpty = false
        if !isThrottled { self.isThrottled = false }
        if let until { earliest = min(earliest ?? until, until) }
    }

    var value: RouteRefusal.Outlook { .init(earliest: earliest, isThrottled: isThrottled && !isEmpty) }
}
