import Logging
import ProxyRouting
import ServiceLifecycle
import Synchronization

/// Chooses an upstream for each attempt and owns the one waiting line. A shell: `RoutingCore` decides, the upstreams keep
/// their own state, and all of them are on one executor, so every decision and every snapshot is of one moment.
actor Router: Service {
    /// An upstream to use, until `end`.
    struct Permit: Sendable {
        let upstream: Upstream
        fileprivate var core: RoutingCore.Permit
        /// Its place in `upstreams`.
        var index: Int { core.upstream }
        var admittedAt: Duration { core.pass.admittedAt }
        /// `begun` is to be called when the answer begins.
        var awaitsBeginning: Bool { core.pass.awaitsBeginning }
    }

    /// All that the statistics show, at one moment.
    struct Snapshot: Sendable {
        let at: Duration
        let permits: PermitCounter
        let queue: QueueStatistics
        let queueLimit: Int
        let waiting: Int
        /// By their place.
        let upstreams: [(upstream: Upstream, state: UpstreamState)]
        /// What the configuration says of each.
        let settings: [Upstream.Settings]

        /// Those of one configuration, in its order.
        func upstreams(of accountList: AccountList) -> [(upstream: Upstream, state: UpstreamState)] {
            accountList.places.map { upstreams[$0] }
        }
    }

    /// All that there have been since the start, each at its place for ever: requests that began under an older configuration go on
    /// with what they began with.
    nonisolated var upstreams: [Upstream] { list.withLock { $0 } }
    private nonisolated let list: Mutex<[Upstream]>
    nonisolated let time: TimeSource
    private nonisolated let lastTicket = Atomic<UInt64>(0)
    private let domain: RoutingDomain
    private let random: @Sendable () -> Double
    private let logger: Logger
    /// Where others hear of what is found out here; nil where there are none.
    private let finds: RoutingFinds?
    private var core: RoutingCore
    private var table: Table
    private var waiters = RouteWaiters()
    /// When the queue is to be looked at again.
    private var alarms = QueueAlarms()

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe domain.unownedExecutor }

    /// - Parameters:
    ///   - members: accounts and providers, and what the configuration says about them.
    ///   - random: 0 ..< 1, for jitter.
    init(
        _ members: [(backend: any Backend, settings: Upstream.Settings)], limits: RoutingCore.Limits,
        strategy: any BalancingStrategy,
        time: TimeSource, random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }, logger: Logger,
        finds: RoutingFinds? = nil
    ) {
        self.finds = finds
        let domain = RoutingDomain()
        self.domain = domain
        let upstreams = members.enumerated().map {
            Upstream($1.backend, at: $0, $1.settings, in: domain, since: time.now(), sharingLimits: finds != nil)
        }
        list = Mutex(upstreams)
        table = Table(upstreams: upstreams)
        core = RoutingCore(limits: limits, strategy: strategy, members: members.map { RoutingCore.Member($0.settings) })
        self.time = time
        self.random = random
        self.logger = logger
    }

    // MARK: Requests

    /// The place of a request that has just arrived among all; it keeps it over its attempts.
    nonisolated func ticket() -> RouteRequest.Ticket {
        RouteRequest.Ticket(rawValue: lastTicket.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// Finds an upstream for the request, waiting for a permit while all that could serve it are full. Every permit has to be
    /// given back with `end`; use `Failover`, which cannot forget it.
    ///
    /// Cancellation ends the wait at once.
    ///
    /// - Parameter trace: told who is passed over and for how long it waits, as a part of its request's call.
    func admit(_ request: RouteRequest, _ trace: RequestTrace? = nil, call: Int = 0) async -> Result<
        Permit, RouteRefusal
    > {
        let now = time.now()
        // Time may have freed somebody who came first, with the alarm still on its way.
        if core.waiting > 0 { settle(core.dispatch(at: now, &table), at: now) }
        let (decision, releases) = core.arrive(request, at: now, &table)
        if !releases.isEmpty { settle(releases, at: now) }
        if let trace, core.hasPassedOver {
            let passedOver = core.passedOver(request.terms, by: decision, at: now, table)
            if !passedOver.isEmpty {
                let names = passedOver.map { table.upstreams[$0.upstream].id }
                trace.append(.passedOver(passedOver, names: names, call: call))
            }
        }
        switch decision {
        case .admitted(let permit): return .success(self.permit(permit))
        case .refused(let refusal): return .failure(refusal)
        case .waits:
            let result = await park(request.ticket, at: now)
            trace?.append(.waited(time.now() - now, call: call))
            return result
        }
    }

    /// Gives the permit back and says how the attempt ended.
    func end(_ permit: Permit, _ ending: AttemptEnding) {
        let now = time.now()
        // A random number costs a system call, and only who is throttled needs one.
        if Attribution(ending.outcome).rest == nil {
            settle(core.end(permit.core, ending, at: now, jitter: 0, &table), at: now)
        } else {
            let before = learnt(of: permit, at: now)
            settle(core.end(permit.core, ending, at: now, jitter: random(), &table), at: now)
            let after = learnt(of: permit, at: now)
            log(after, since: before, of: permit, ending, at: now)
            tell(after, since: before, of: permit, at: now)
        }
        if let changes = table.breakerChanges.take() {
            log(changes, of: permit.upstream, ending)
            tell(changes, of: permit, at: now)
        }
        if !ending.oddities.isEmpty { log(ending.oddities, of: permit.upstream) }
    }

    /// Until when an upstream, and the model of an attempt there, are left alone; and how many requests of the model seem to be taken at once.
    private typealias Learnt = (upstream: Duration?, model: Duration?, limit: Int?)

    private func learnt(of permit: Permit, at now: Duration) -> Learnt {
        permit.upstream.assumeIsolated { upstream in
            let model = upstream.state.models[permit.core.pass.model]
            return (upstream.state.cooldown.until(at: now), model?.cooldown.until(at: now), model?.limit.value)
        }
    }

    /// Tells of a cooldown that has begun and is longer than clients are made to wait.
    private func log(
        _ cooldowns: Learnt, since before: Learnt, of permit: Permit, _ ending: AttemptEnding, at now: Duration
    ) {
        func line(_ until: Duration?, _ before: Duration?, _ level: Logger.Level, model: String?) {
            guard before == nil, let until, until - now > Patience.limit else { return }
            var metadata: Logger.Metadata = [
                "account": "\(permit.upstream.id)", "seconds": "\((until - now).components.seconds)",
                "error": "\(ending.error.flatMap { OpenAIError($0).code } ?? "-")",
            ]
            if let model { metadata["model"] = "\(model)" }
            logger.log(
                level: level, model == nil ? "Account is cooling down" : "Model is cooling down",
                metadata: metadata)
        }
        line(cooldowns.upstream, before.upstream, .warning, model: nil)
        line(cooldowns.model, before.model, .info, model: permit.core.pass.model)
    }

    /// Tells other instances of a cooldown that has begun or has become longer, and of a limit that was learnt.
    private func tell(_ after: Learnt, since before: Learnt, of permit: Permit, at now: Duration) {
        guard let finds else { return }
        let state = permit.upstream.assumeIsolated { $0.state }
        let model = permit.core.pass.model
        if let until = after.upstream, until > before.upstream ?? .zero {
            finds.add(
                .init(
                    place: permit.index, model: nil,
                    kind: .cooldown(until: until, isThrottle: state.cooldown.isThrottle)))
        }
        if let until = after.model, until > before.model ?? .zero {
            finds.add(
                .init(
                    place: permit.index, model: model,
                    kind: .cooldown(until: until, isThrottle: state.models[model]?.cooldown.isThrottle ?? true)))
        }
        if after.limit != before.limit, let limit = state.limitOfAll(of: model, at: now) {
            finds.add(.init(place: permit.index, model: model, kind: .limit(limit)))
        }
    }

    /// Tells other instances of breakers that have opened.
    private func tell(_ changes: BreakerChanges, of permit: Permit, at now: Duration) {
        guard let finds else { return }
        let state = permit.upstream.assumeIsolated { $0.state }
        if changes.upstream == .open {
            finds.add(
                .init(place: permit.index, model: nil, kind: .opened(until: state.breaker.retryAt ?? now)))
        }
        if let (model, opened) = changes.model, opened == .open {
            finds.add(
                .init(
                    place: permit.index, model: model,
                    kind: .opened(until: state.models[model]?.breaker.retryAt ?? now)))
        }
    }

    /// Tells what an upstream has said oddly for the first time.
    private func log(_ oddities: Oddities, of upstream: Upstream) {
        let statistics = upstream.assumeIsolated { $0.state.statistics }
        for oddity in oddities.each where statistics.count(of: oddity) == 1 {
            logger.warning(
                "Upstream deviates from its API: \(oddity.words). Logged once; ociai_upstream_oddities_total counts all.",
                metadata: ["account": "\(upstream.id)", "kind": "\(oddity.name)"])
        }
    }

    /// The answer has begun, to be told when the permit awaits it: that decides a probe, and lets more requests follow.
    ///
    /// - Returns: the permit, as it is to be given back.
    func begun(_ permit: Permit) -> Permit {
        let now = time.now()
        var permit = permit
        settle(core.begun(&permit.core, at: now, &table), at: now)
        if let changes = table.breakerChanges.take() { log(changes, of: permit.upstream, AttemptEnding(.succeeded)) }
        return permit
    }

    /// What is known about upstreams that are out of use now.
    ///
    /// - Parameter notBefore: when each may be asked by who wants to know.
    func outlook(of accepted: UpstreamSet, for model: String, notBefore: [Int: Duration] = [:]) -> RouteRefusal.Outlook
    {
        core.outlook(of: accepted, for: model, notBefore: notBefore, at: time.now(), table)
    }

    private func log(_ changes: BreakerChanges, of upstream: Upstream, _ ending: AttemptEnding) {
        func line(_ state: CircuitBreaker.State, _ model: String?) {
            var metadata: Logger.Metadata = [
                "account": "\(upstream.id)", "error": "\(ending.error.flatMap { OpenAIError($0).code } ?? "-")",
            ]
            if let model { metadata["model"] = "\(model)" }
            logger.log(
                level: state == .open ? .warning : .info, "Circuit breaker is \(state.rawValue)", metadata: metadata)
        }
        if let state = changes.upstream { line(state, nil) }
        if let (model, state) = changes.model { line(state, model) }
    }

    private func park(_ ticket: RouteRequest.Ticket, at now: Duration) async -> Result<Permit, RouteRefusal> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: RouteWaiters.Waiter) in
                waiters.park(waiter, as: ticket)
                // Read in the same breath as parking: the hop below finds the waiter, or this finds the cancellation.
                if Task.isCancelled { abandon(ticket) }
                if core.waiting > 0 { setAlarm(at: now) }
            }
        } onCancel: {
            // Cancellation handlers are synchronous; the actor has to be reached somehow.
            Task { await self.abandon(ticket) }
        }
    }

    private func abandon(_ ticket: RouteRequest.Ticket) {
        if core.abandon(ticket) { waiters.resume(ticket, with: .failure(.cancelled)) }
    }

    private func settle(_ releases: [RoutingCore.Release], at now: Duration) {
        for release in releases { waiters.resume(release.ticket, with: release.result.map(permit)) }
        if core.waiting > 0 { setAlarm(at: now) }
    }

    private func permit(_ permit: RoutingCore.Permit) -> Permit {
        Permit(upstream: table.upstreams[permit.upstream], core: permit)
    }

    // MARK: What else changes

    /// An upstream of a new configuration.
    enum Member: Sendable {
        /// One that is there already, by its place: it keeps what it knows, its permits and its statistics.
        case known(Int)
        case new(any Backend)
    }

    /// Takes a new configuration over. Requests that run or wait go on; who is no longer among the members serves them to their end.
    ///
    /// - Returns: the members' upstreams, in their order.
    func reconfigure(
        _ members: [(member: Member, settings: Upstream.Settings)], limits: RoutingCore.Limits,
        strategy: any BalancingStrategy
    ) -> [Upstream] {
        var result: [Upstream] = []
        for (member, settings) in members {
            switch member {
            case .known(let index):
                let upstream = table.upstreams[index]
                upstream.assumeIsolated { $0.reconfigure(settings) }
                result.append(upstream)
            case .new(let backend):
                let upstream = Upstream(
                    backend, at: table.upstreams.count, settings, in: domain, since: time.now(),
                    sharingLimits: finds != nil)
                table.upstreams.append(upstream)
                finds?.hurry()
                result.append(upstream)
            }
        }
        list.withLock { $0 = table.upstreams }
        let now = time.now()
        let serving = Set(result.map(\.index))
        let all = table.upstreams.map { upstream in
            RoutingCore.Member(upstream.assumeIsolated { $0.settings }, isRetired: !serving.contains(upstream.index))
        }
        settle(core.reconfigure(limits, strategy: strategy, members: all, at: now, &table), at: now)
        return result
    }

    /// Takes note of a health check.
    ///
    /// - Returns: whether the upstream was and is healthy.
    func note(_ probe: HealthRecord.Probe, of upstream: Upstream, latency: Duration) -> (before: Bool, after: Bool) {
        let now = time.now()
        let change = upstream.assumeIsolated { $0.note(probe, at: now, latency: latency) }
        settle(core.upstreamChanged(upstream.index, at: now, &table), at: now)
        return change
    }

    /// Closes the breakers and ends the cooldowns of some upstreams; of all models there, or of one.
    ///
    /// - Parameters:
    ///   - model: the model's id at the upstreams.
    ///   - isKnown: the upstreams serve it; else only those that have met it count.
    /// - Returns: the ids of those it was done to.
    func resetBreakers(of places: [Int], model: String? = nil, isKnown: Bool = true) -> [String] {
        let chosen = places.map { table.upstreams[$0] }.filter { upstream in
            guard let model, !isKnown else { return true }
            return upstream.assumeIsolated { $0.state.models.slot(of: model) != nil }
        }
        let now = time.now()
        for upstream in chosen {
            upstream.assumeIsolated { $0.reset(model, at: now) }
            settle(core.upstreamChanged(upstream.index, at: now, &table), at: now)
        }
        return chosen.map(\.id)
    }

    /// Goes on with what a process before has learnt of an upstream. Before the first request.
    func restore(_ memory: UpstreamMemory, of upstream: Upstream) {
        let now = time.now()
        upstream.assumeIsolated { $0.restore(memory, at: now) }
        core.restored(upstream.index, models: memory.models.keys, at: now, table)
    }

    /// Another instance has told of an upstream, or of a model of it.
    func heard(of place: Int, model: String?) {
        let now = time.now()
        if let model { core.restored(place, models: [model], at: now, table) }
        settle(core.upstreamChanged(place, at: now, &table), at: now)
    }

    /// How many in the line an upstream could serve.
    func waiting(for place: Int) -> Int { core.waiting(for: place) }

    /// Something else than an attempt has changed these upstreams.
    func upstreamsChanged(_ places: [Int]) {
        let now = time.now()
        for place in places { settle(core.upstreamChanged(place, at: now, &table), at: now) }
    }

    func snapshot() -> Snapshot {
        Snapshot(
            at: time.now(), permits: core.permits, queue: core.statistics, queueLimit: core.limits.queue,
            waiting: core.waiting,
            upstreams: table.upstreams.map { ($0, $0.assumeIsolated { $0.state }) },
            settings: table.upstreams.map { $0.assumeIsolated { $0.settings } })
    }

    // MARK: Time

    /// Looks after the line when time alone changes something: a waiter's deadline passes, an upstream may be used again. Runs
    /// until the service group stops it, or its task is cancelled.
    nonisolated func run() async {
        let instants = await alarms.instants
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await instant in instants {
                    group.addTask {
                        guard (try? await self.time.sleep(instant)) != nil else { return }
                        await self.ring(instant)
                    }
                }
                group.cancelAll()
            }
        }
    }

    private func ring(_ instant: Duration) {
        alarms.rang(instant)
        let now = time.now()
        settle(core.dispatch(at: now, &table), at: now)
    }

    private func setAlarm(at now: Duration) {
        if let instant = core.nextMoment(at: now, table) { alarms.set(for: instant) }
    }

    /// The upstreams as the core sees them. Only to be used on the domain's executor, on which all of them are.
    private struct Table: UpstreamTable {
        var upstreams: [Upstream]
        /// What the end of an attempt has made of its upstream's breakers, until somebody takes it.
        var breakerChanges: BreakerChanges?

        func view(of index: Int, model: String, at now: Duration) -> UpstreamView {
            upstreams[index].assumeIsolated { $0.view(of: model, at: now) }
        }

        func lastResort(_ index: Int, model: String, at now: Duration) -> Duration? {
            upstreams[index].assumeIsolated { $0.lastResort(for: model, at: now) }
        }

        func safeTime(of index: Int, model: String, isStreaming: Bool, at now: Duration) -> Duration? {
            upstreams[index].assumeIsolated { $0.safeTime(of: model, isStreaming: isStreaming, at: now) }
        }

        func pace(of index: Int, model: String, at now: Duration) -> Double? {
            upstreams[index].assumeIsolated { $0.pace(of: model, at: now) }
        }

        func isFailing(_ index: Int, model: String) -> Bool { upstreams[index].assumeIsolated { $0.isFailing(model) } }

        func admit(_ index: Int, model: String, isLastResort: Bool, at now: Duration) -> (
            pass: UpstreamState.Pass, view: UpstreamView
        ) {
            upstreams[index].assumeIsolated { $0.admit(model, isLastResort: isLastResort, at: now) }
        }

        mutating func begun(_ index: Int, _ pass: UpstreamState.Pass, at now: Duration) -> (
            pass: UpstreamState.Pass, view: UpstreamView
        ) {
            let (pass, changes, view) = upstreams[index].assumeIsolated { $0.begun(pass, at: now) }
            if !changes.isEmpty { breakerChanges = changes }
            return (pass, view)
        }

        mutating func end(
            _ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double
        ) -> UpstreamView {
            let (changes, view) = upstreams[index].assumeIsolated { $0.end(pass, ending, at: now, jitter: jitter) }
            if !changes.isEmpty { breakerChanges = changes }
            return view
        }
    }
}

extension RoutingCore.Member {
    fileprivate init(_ settings: Upstream.Settings, isRetired: Bool = false) {
        self.init(
            weight: settings.weight, maxConcurrency: settings.maxConcurrency, throttle: settings.throttle,
            isRetired: isRetired)
    }
}
