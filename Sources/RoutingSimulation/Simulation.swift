import Proxy
import ProxyTestSupport

/// One run of a strategy against a made-up world.
package struct Simulation {
    private let conditions: Conditions
    private let world: World
    private var shell: Shell<Answers, Tally>

    package init(_ conditions: Conditions, _ contender: Contender) {
        self.conditions = conditions
        // One source for each: what one of them draws changes nothing for the others.
        var source = SplitMix64(seed: conditions.seed)
        var worldRandom = SplitMix64(seed: source.next())
        var requestRandom = SplitMix64(seed: source.next())
        let jitter = SplitMix64(seed: source.next())
        let world = World(conditions, random: &worldRandom)
        let requests = Request.arrivals(
            in: world, load: conditions.load, bursts: conditions.scenario.hasBursts, patience: conditions.patience, random: &requestRandom)
        let upstreams = PlainUpstreams(
            world.accounts.map { PlainUpstreams.Member(maxConcurrency: $0.maxConcurrency, weight: $0.maxConcurrency, throttle: $0.tenancy) })
        // The global limit is not what is judged here.
        let concurrency = world.accounts.reduce(0) { $0 + $1.maxConcurrency }
        let core = RoutingCore(
            limits: .init(concurrency: concurrency, queue: conditions.queueSize), strategy: contender.make(), members: upstreams.coreMembers)
        let accepts = UpstreamSet(first: world.accounts.count)
        self.world = world
        shell = Shell(
            requests, .init(retryAttempts: conditions.retryAttempts, healthCheckInterval: conditions.healthCheckInterval), core: core,
            upstreams: upstreams, truth: Answers(world), watcher: Tally(world, requests), jitter: jitter
        ) { _ in accepts }
    }

    /// Runs until every request has ended.
    package mutating func run() -> RunFigures {
        for (number, request) in requests.enumerated() { events.add(.arrival(number), at: request.arrival) }
        events.add(.healthRound, at: .zero)
        while tally.ended < requests.count, let (now, event) = events.next() {
            switch event {
            case .arrival(let number):
                let plan = FailoverPlan(accepts: UpstreamSet(first: world.accounts.count), retryAttempts: conditions.retryAttempts)
                journeys[number] = Journey(plan: plan, deadline: now + conditions.patience)
                seekPermit(number, at: now)
            case .attemptEnds(let number): endAttempt(of: number, at: now)
            case .pauseEnds(let number): seekPermit(number, at: now)
            case .alarm:
                alarms.remove(now)
                settle(core.dispatch(at: now, &upstreams), at: now)
            case .healthRound:
                checkHealth(at: now)
                events.add(.healthRound, at: now + conditions.healthCheckInterval)
            }
        }
        let oracle = Oracle.completions(of: requests, in: world, patience: conditions.patience)
        let limitsKept = upstreams.members.allSatisfy { $0.state.permits.peak <= $0.state.permits.limit }
        return tally.figures(
            oracle: oracle, leftWaiting: core.waiting, leftInFlight: core.permits.inUse,
            limitsKept: limitsKept && core.permits.peak <= core.permits.limit)
    }

    // MARK: A request's way

    private mutating func seekPermit(_ number: Int, at now: Duration) {
        settle(core.dispatch(at: now, &upstreams), at: now)
        guard let journey = journeys[number] else { return }
        let request = RouteRequest(
            ticket: .init(rawValue: UInt64(number)), terms: journey.plan.terms, deadline: journey.deadline, allowance: conditions.patience)
        let (decision, releases) = core.arrive(request, at: now, &upstreams)
        defer { settle(releases, at: now) }
        switch decision {
        case .admitted(let permit): beginAttempt(of: number, permit, at: now)
        case .refused(let refusal): refuse(number, refusal, at: now)
        case .waits:
            journeys[number]?.waitsSince = now
            setAlarm(at: now)
        }
    }

    private mutating func settle(_ releases: [RoutingCore.Release], at now: Duration) {
        for release in releases {
            let number = Int(release.ticket.rawValue)
            if let since = journeys[number]?.waitsSince { journeys[number]?.waited += now - since }
            journeys[number]?.waitsSince = nil
            switch release.result {
            case .success(let permit): beginAttempt(of: number, permit, at: now)
            case .failure(let refusal): refuse(number, refusal, at: now)
            }
        }
        if core.waiting > 0 { setAlarm(at: now) }
    }

    private mutating func beginAttempt(of number: Int, _ permit: RoutingCore.Permit, at now: Duration) {
        let answer = answers.begin(requests[number], at: permit.upstream, now: now)
        journeys[number]?.attempt = (permit, answer.outcome)
        tally.noteAttempt(at: permit.upstream, isFurther: (journeys[number]?.plan.attempts ?? 0) > 0, answer.outcome, now: now)
        events.add(.attemptEnds(number), at: now + answer.takes)
    }

    private mutating func endAttempt(of number: Int, at now: Duration) {
        guard let (permit, outcome) = journeys[number]?.attempt else { return }
        journeys[number]?.attempt = nil
        if outcome == .succeeded { answers.end(at: permit.upstream) }
        let releases = core.end(permit, AttemptEnding(outcome), at: now, jitter: .random(in: 0..<1, using: &jitter), &upstreams)
        if outcome == .succeeded {
            finish(number, isCompleted: true)
        } else if outcome.mayMoveOn, journeys[number]?.plan.note(outcome, at: permit.upstream, now) == true {
            settle(releases, at: now)
            return seekPermit(number, at: now)
        } else {
            finish(number, isCompleted: false)
        }
        settle(releases, at: now)
    }

    private mutating func refuse(_ number: Int, _ refusal: RouteRefusal, at now: Duration) {
        guard case .unavailable = refusal, let pause = pause(number, at: now) else { return finish(number, isCompleted: false) }
        events.add(.pauseEnds(number), at: now + pause)
    }

    private mutating func pause(_ number: Int, at now: Duration) -> Duration? {
        guard let journey = journeys[number] else { return nil }
        let outlook = core.outlook(of: journey.plan.repeatable, for: "", notBefore: journey.plan.notBefore, at: now, upstreams)
        return journeys[number]?.plan.pause(outlook, at: now, deadline: journey.deadline, jitter: .random(in: 0..<1, using: &jitter))
    }

    private mutating func finish(_ number: Int, isCompleted: Bool) {
        guard let journey = journeys.removeValue(forKey: number) else { return }
        tally.noteEnd(isCompleted: isCompleted, attempts: journey.plan.attempts + (isCompleted ? 1 : 0), waited: journey.waited)
    }

    // MARK: Time

    private mutating func setAlarm(at now: Duration) {
        guard let moment = core.nextMoment(at: now, upstreams), !alarms.contains(where: { $0 <= moment }) else { return }
        alarms.insert(moment)
        events.add(.alarm, at: moment)
    }

    private mutating func checkHealth(at now: Duration) {
        let second = Int(now.components.seconds)
        for (index, account) in world.accounts.enumerated() {
            upstreams.members[index].state.note(account.outage(inSecond: second) == nil ? .passed : .failed, at: now, latency: .zero)
            settle(core.upstreamChanged(index, at: now, &upstreams), at: now)
        }
    }
}
