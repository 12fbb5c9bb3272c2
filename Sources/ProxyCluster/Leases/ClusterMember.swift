/// One instance among others: what it has been given, and until when.
///
/// The caller begins an exchange each `delay`, sends the request's script to the engine, and tells what came of it. At most one exchange is
/// under way: beginning another one gives up the one before, and whatever is still answered to that is not heard. All leases
/// of an instance are renewed together.
///
/// *The clock.* `now` is since an origin of the process, by a clock as `PermitLease` says. Instances' wall clocks are not asked for: what has
/// to be compared between instances is in the engine's time (`engineTime`).
package struct ClusterMember: Sendable {
    package enum Mode: Equatable, Sendable {
        /// Just started, or stopped until the lease was over: nothing is taken until the engine has answered, or has not.
        case pending
        case leased
        /// The engine has begun anew and gives nothing yet. Who has a lease keeps it; who has none goes on as `degraded`.
        case learning
        /// No engine: safe capacity.
        case degraded
    }

    package enum Outcome: Equatable, Sendable {
        /// It was given up, or is not the one that is under way.
        case ignored
        /// It took longer than the lease that it brought.
        case tooLate
        /// Shares hold. What was declared before must be told again, when `repeatsNews`: the engine has forgotten it.
        case applied(repeatsNews: Bool)
    }

    private struct UnderWay: Sendable {
        var request: ExchangeRequest
        var begun: Duration
    }

    package let instance: String
    package let times: LeaseTimes
    /// The least count of instances that is reckoned with: of the configuration.
    package var leastInstances: Int { didSet { leastInstances = max(1, leastInstances) } }
    /// Instances with a lease, as the engine has said last.
    private var members = 1
    private var leases: [String: PermitLease] = [:]
    private var limits: [String: Int] = [:]
    /// In flight at the others.
    private var elsewhere: [String: Int] = [:]
    private var underWay: UnderWay?
    private var number: Int64 = 0
    private var lastBegun: Duration?
    /// Of all leases.
    package private(set) var leaseEnd = Duration.zero
    private var lastFailure: Duration?
    private var learningUntil = Duration.zero
    private var since: Int64 = 0
    private var board: Int64 = 0
    /// The engine's clock less the instance's, milliseconds.
    private var clockOffset: Int64?

    /// - Parameters:
    ///   - instance: made up anew by each process: 1 to 64 bytes. After a restart it is another instance.
    ///   - leastInstances: 1 or more.
    package init(instance: String, leastInstances: Int, times: LeaseTimes = LeaseTimes()) {
        self.instance = instance
        self.leastInstances = max(1, leastInstances)
        self.times = times
    }

    /// Instances to divide by when there is no engine.
    package var count: Int { max(leastInstances, members) }

    package func mode(at now: Duration) -> Mode {
        if now < leaseEnd { return now < learningUntil ? .learning : .leased }
        guard let lastFailure, now < lastFailure + times.proof else { return .pending }
        return now < learningUntil ? .learning : .degraded
    }

    package func lease(of name: String) -> PermitLease { leases[name] ?? .none }

    /// In flight at all other instances at the last exchange: to learn the limit of all from a refusal here.
    package func inFlightElsewhere(of name: String) -> Int { elsewhere[name] ?? 0 }

    /// Milliseconds since 1970 by the engine's clock, off by half an exchange's time at most; nil before the first one.
    package func engineTime(at now: Duration) -> Int64? { clockOffset.map { now.milliseconds + $0 } }

    // MARK: Exchanges

    /// Until the next exchange is begun, after one has been answered or has failed.
    ///
    /// - Parameter jitter: 0 ..< 1.
    package func delay(jitter: Double) -> Duration { times.exchange * (0.8 + 0.4 * jitter) }

    /// An exchange may be begun out of turn, for something that should not wait.
    package func mayBeginEarly(at now: Duration) -> Bool {
        underWay == nil && lastBegun.map { now >= $0 + times.early } ?? true
    }

    /// Begins an exchange.
    ///
    /// - Parameters:
    ///   - wants: of all objects, each once. What is not mentioned is given back: it must not be in flight. A limit that is lower than the
    ///     share holds from now on.
    ///   - meters: `Meter.report`.
    ///   - news: to be told.
    package mutating func begin(
        _ wants: [PermitWant], meters: [ExchangeRequest.Meter] = [], news: [NewsPost] = [], at now: Duration
    ) -> ExchangeRequest {
        if underWay != nil { failed(number, at: now) }
        number += 1
        lastBegun = now
        var request = ExchangeRequest(
            instance: instance, number: number, lease: times.lease.milliseconds, isLeased: now < leaseEnd, since: since,
            board: board)
        var kept: [String: PermitLease] = [:]
        kept.reserveCapacity(wants.count)
        limits.removeAll(keepingCapacity: true)
        for want in wants where limits[want.name] == nil {
            let limit = max(0, want.limit)
            limits[want.name] = limit
            var lease = leases[want.name] ?? .none
            if leases[want.name] == nil, now >= leaseEnd { lease.safeUntil = safeEnd }
            lease.share = min(lease.share, limit)
            lease.safe = PermitLease.safe(limit, among: count)
            kept[want.name] = lease
            let inFlight = max(0, want.inFlight)
            request.permits.append(
                ExchangeRequest.Permits(
                    name: want.name, limit: limit, capacity: lease.capacity(at: now), inFlight: inFlight,
                    want: inFlight + min(max(0, want.waiting), Self.mostWaiting)))
        }
        leases = kept
        request.meters = meters
        request.news = news
        underWay = UnderWay(request: request, begun: now)
        return request
    }

    /// The last exchange of a process, when nothing is in flight any more and all that was spent has been told of: what it has is free at
    /// once. There is nothing to apply.
    package mutating func leave() -> ExchangeRequest {
        number += 1
        underWay = nil
        leases = [:]
        leaseEnd = .zero
        var request = ExchangeRequest(
            instance: instance, number: number, lease: times.lease.milliseconds, isLeased: false, since: since,
            board: board)
        request.isLeaving = true
        return request
    }

    /// The engine has answered.
    ///
    /// - Parameter reply: read as an answer to the request of that number.
    package mutating func apply(_ reply: ExchangeReply, of number: Int64, at now: Duration) -> Outcome {
        guard let (request, begun) = take(number) else { return .ignored }
        // From when it was begun: the engine has counted from some moment after that.
        let end = begun + times.lease - times.margin
        // It is there: whoever was stopped meanwhile asks it again before anything is taken.
        guard now < end else { return .tooLate }
        clockOffset = reply.now - (begun + (now - begun) / 2).milliseconds
        let isLearning = reply.learningFor > 0
        learningUntil = isLearning ? now + .milliseconds(reply.learningFor) : .zero
        members = isLearning ? max(members, reply.members) : max(1, reply.members)
        if isLearning, !request.isLeased {
            // As without an engine, which is known to be of no help yet.
            noteFailure(at: now)
        } else {
            leaseEnd = end
            lastFailure = nil
            for (permit, share) in zip(request.permits, reply.shares) {
                let limit = limits[permit.name] ?? permit.limit
                elsewhere[permit.name] = share.elsewhere
                leases[permit.name] = PermitLease(
                    share: min(share.share, limit), until: end, safe: PermitLease.safe(limit, among: count),
                    safeUntil: .zero)
            }
        }
        since = reply.since
        defer { board = reply.board }
        return .applied(repeatsNews: reply.board != board)
    }

    /// There was no answer in time, or no right one, or no connection.
    package mutating func failed(_ number: Int64, at now: Duration) {
        guard let (_, begun) = take(number) else { return }
        // Of what has failed while the process was stopped, nobody knows when: what it proves may be long past.
        noteFailure(at: min(now, begun + times.proof))
    }

    /// There was no connection to begin an exchange on.
    package mutating func failedToBegin(at now: Duration) {
        underWay = nil
        noteFailure(at: now)
    }

    private mutating func take(_ number: Int64) -> (request: ExchangeRequest, begun: Duration)? {
        guard let underWay, underWay.request.number == number else { return nil }
        self.underWay = nil
        return (underWay.request, underWay.begun)
    }

    /// Until when it is known that there is no engine, by the last failure; zero when there is one.
    package var safeEnd: Duration { lastFailure.map { $0 + times.proof } ?? .zero }

    private mutating func noteFailure(at now: Duration) {
        lastFailure = now
        let (end, count) = (safeEnd, count)
        for (name, lease) in leases where now >= leaseEnd || lease.until == leaseEnd {
            // What is new, and has never had a share, is not begun with while the others have theirs.
            let safe = PermitLease.safe(limits[name] ?? 0, among: count)
            leases[name] = PermitLease(share: lease.share, until: lease.until, safe: safe, safeUntil: end)
        }
    }

    /// Of one object: a longer line wants no more than that.
    private static let mostWaiting = 1_000_000
}
