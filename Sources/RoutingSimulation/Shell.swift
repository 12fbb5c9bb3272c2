import Proxy
import ProxyRouting
import ProxyTestSupport

/// One run of the routing core, as it is in the process, against upstreams that answer by a hidden truth. Time is virtual: the next event is
/// now.
///
/// This is the shell that `Router`, `Failover` and `Monitor` are in the process, without tasks: it carries requests from one
/// decision to the next and decides nothing itself.
struct Shell<Truth: HiddenTruth, Watcher: Observer> {
    private enum Event {
        case arrival(Int)
        case attemptBegins(Int, attempt: Int)
        case attemptEnds(Int)
        case pauseEnds(Int)
        case alarm
        case healthRound
    }

    /// A request on its way.
    private struct Journey {
        var plan: FailoverPlan
        let deadline: Duration
        var attempt: (permit: RoutingCore.Permit, answer: Response, outcome: AttemptOutcome)?
        var attempts = 0
        var waitsSince: Duration?
        var waited = Duration.zero
    }

    /// What belongs to the proxy and its surroundings.
    struct Terms {
        var retryAttempts = RoutingSettings().retryAttempts
        var healthCheckInterval = TimeoutSettings().healthCheckInterval
        /// Times in which the process stands still: what would happen in one happens at its end.
        var stops: [Range<Duration>] = []
        /// Until when clients go on that send one request after the other.
        var end = Duration.zero
    }

    private let terms: Terms
    private(set) var requests: [Request]
    /// Which upstreams may serve a model.
    private let accepts: (String) -> UpstreamSet
    private var truth: Truth
    private(set) var core: RoutingCore
    private(set) var upstreams: PlainUpstreams
    private(set) var watcher: Watcher
    private var journeys: [Int: Journey] = [:]
    private var ended = 0
    private var events = EventQueue<Event>()
    /// Moments at which the line will be looked at.
    private var alarms: Set<Duration> = []
    private var jitter: SplitMix64

    init(
        _ requests: [Request], _ terms: Terms, core: RoutingCore, upstreams: PlainUpstreams, truth: Truth,
        watcher: Watcher, jitter: SplitMix64,
        accepts: @escaping (String) -> UpstreamSet
    ) {
        self.requests = requests
        self.terms = terms
        self.core = core
        self.upstreams = upstreams
        self.truth = truth
        self.watcher = watcher
        self.jitter = jitter
        self.accepts = accepts
    }

    /// No limit was ever exceeded.
    var limitsKept: Bool {
        upstreams.members.allSatisfy { $0.state.permits.peak <= $0.state.permits.limit }
            && core.permits.peak <= core.permits.limit
    }

    /// Runs until every request has ended.
    mutating func run() {
        for (number, request) in requests.enumerated() { events.add(.arrival(number), at: request.arrival) }
        events.add(.healthRound, at: .zero)
        while ended < requests.count, let (instant, event) = events.next() {
            let now = terms.stops.first { $0.contains(instant) }?.upperBound ?? instant
            switch event {
            case .arrival(let number):
                let plan = FailoverPlan(
                    accepts: accepts(requests[number].model), model: requests[number].model,
                    retryAttempts: terms.retryAttempts)
                journeys[number] = Journey(plan: plan, deadline: now + requests[number].patience)
                seekPermit(number, at: now)
            case .attemptBegins(let number, let attempt): beginAnswer(of: number, attempt, at: now)
            case .attemptEnds(let number): endAttempt(of: number, at: now)
            case .pauseEnds(let number): seekPermit(number, at: now)
            case .alarm:
                alarms.remove(instant)
                settle(core.dispatch(at: now, &upstreams), at: now)
            case .healthRound:
                checkHealth(at: now)
                events.add(.healthRound, at: now + terms.healthCheckInterval)
            }
        }
    }

    // MARK: A request's way

    private mutating func seekPermit(_ number: Int, at now: Duration) {
        if core.waiting > 0 { settle(core.dispatch(at: now, &upstreams), at: now) }
        guard let journey = journeys[number] else { return }
        let request = RouteRequest(
            ticket: .init(rawValue: UInt64(number)), terms: journey.plan.terms, deadline: journey.deadline,
            allowance: requests[number].patience,
            isStreaming: requests[number].firstEventAfter != nil, client: requests[number].client)
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
        guard let journey = journeys[number] else { return }
        let answer = truth.begin(requests[number], at: permit.upstream, now: now)
        watcher.noteAttempt(
            of: number, requests[number], at: permit.upstream, isFurther: journey.attempts > 0, now: now)
        journeys[number]?.attempts += 1
        var (outcome, end) = (answer.outcome, now + answer.takes)
        if let begins = answer.begins.map({ now + $0 }), begins < journey.deadline {
            if permit.pass.awaitsBeginning {
                events.add(.attemptBegins(number, attempt: journey.attempts + 1), at: begins)
            }
        } else if end > journey.deadline {
            (outcome, end) = (.outOfTime, journey.deadline)
        }
        // What failed while the process stood still says nothing, but for what an upstream has said.
        if outcome.isSilent, let stop = terms.stops.first(where: { $0.overlaps(now..<end) }),
            end <= stop.upperBound || outcome == .outOfTime
        {
            outcome = .interrupted
        }
        journeys[number]?.attempt = (permit, answer, outcome)
        events.add(.attemptEnds(number), at: end)
    }

    private mutating func beginAnswer(of number: Int, _ attempt: Int, at now: Duration) {
        guard journeys[number]?.attempts == attempt, var permit = journeys[number]?.attempt?.permit else { return }
        let releases = core.begun(&permit, at: now, &upstreams)
        journeys[number]?.attempt?.permit = permit
        settle(releases, at: now)
    }

    private mutating func endAttempt(of number: Int, at now: Duration) {
        guard let journey = journeys[number], let (permit, answer, outcome) = journey.attempt else { return }
        journeys[number]?.attempt = nil
        if answer.isTaken { truth.end(requests[number], at: permit.upstream, now: now) }
        watcher.noteEnd(of: outcome)
        let hasBegun = answer.begins != nil && outcome != .outOfTime && outcome != .interrupted
        let ending = AttemptEnding(outcome, firstEvent: hasBegun ? answer.begins : nil)
        let releases = core.end(permit, ending, at: now, jitter: .random(in: 0..<1, using: &jitter), &upstreams)
        if outcome == .succeeded {
            finish(number, isCompleted: true, at: now)
        } else if outcome.mayMoveOn, !hasBegun, journeys[number]?.plan.note(outcome, at: permit.upstream, now) == true,
            now < journey.deadline
        {
            settle(releases, at: now)
            return seekPermit(number, at: now)
        } else {
            finish(number, isCompleted: false, at: now)
        }
        settle(releases, at: now)
    }

    private mutating func refuse(_ number: Int, _ refusal: RouteRefusal, at now: Duration) {
        guard case .unavailable = refusal, let pause = pause(number, at: now) else {
            return finish(number, isCompleted: false, at: now)
        }
        events.add(.pauseEnds(number), at: now + pause)
    }

    private mutating func pause(_ number: Int, at now: Duration) -> Duration? {
        guard let journey = journeys[number] else { return nil }
        let outlook = core.outlook(
            of: journey.plan.repeatable, for: requests[number].model, notBefore: journey.plan.notBefore, at: now,
            upstreams)
        return journeys[number]?.plan.pause(
            outlook, at: now, deadline: journey.deadline, jitter: .random(in: 0..<1, using: &jitter))
    }

    private mutating func finish(_ number: Int, isCompleted: Bool, at now: Duration) {
        guard let journey = journeys.removeValue(forKey: number) else { return }
        ended += 1
        let request = requests[number]
        watcher.noteEnd(
            of: number, request, isCompleted: isCompleted, attempts: journey.attempts, waited: journey.waited, now: now)
        guard request.isRepeated, now < terms.end else { return }
        var next = request
        next.arrival = now + .milliseconds(10)
        events.add(.arrival(requests.count), at: next.arrival)
        requests.append(next)
    }

    // MARK: Time

    private mutating func setAlarm(at now: Duration) {
        guard let instant = core.nextMoment(at: now, upstreams), !alarms.contains(where: { $0 <= instant }) else {
            return
        }
        alarms.insert(instant)
        events.add(.alarm, at: instant)
    }

    private mutating func checkHealth(at now: Duration) {
        for index in upstreams.members.indices {
            upstreams.members[index].state.note(truth.isUp(index, at: now) ? .passed : .failed, at: now, latency: .zero)
            settle(core.upstreamChanged(index, at: now, &upstreams), at: now)
        }
    }
}

extension AttemptOutcome {
    /// Nothing that an upstream has said.
    fileprivate var isSilent: Bool {
        switch self {
        case .timedOut, .outOfTime, .unreachable, .connectTimedOut: true
        default: false
        }
    }
}
