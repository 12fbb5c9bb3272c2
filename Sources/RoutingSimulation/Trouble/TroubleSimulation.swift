import Proxy
import ProxyRouting
import ProxyTestSupport

/// What came of one run in trouble.
package struct TroubleFigures: Equatable, Sendable {
    package let requests: Int
    /// To requests that are counted, in the time that is counted, by what they need of the capacity.
    package let answers: Double
    /// What `TroubleOracle` would have answered.
    package let oracle: Double
    package let attempts: Int
    /// Attempts that were answered with 429.
    package let throttled: Int
    /// Attempts that were ended by their request's time.
    package let outOfTime: Int
    /// Circuit breakers that have opened, but for those of the sick model.
    package let opened: Int
    /// How long after a trouble's end somebody has come who got no answer.
    package let lingers: Duration
    /// In the line when every request had ended: none, if the books balance.
    package let leftWaiting: Int
    /// Permits that were not given back by then: likewise.
    package let leftInFlight: Int
    /// No limit was ever exceeded.
    package let limitsKept: Bool

    package var share: Double { answers / max(oracle, 1) }
}

/// One run of the routing core in trouble.
package struct TroubleSimulation {
    private let world: TroubleWorld
    private var shell: Shell<TroubleAnswers, TroubleTally>

    package init(_ trouble: Trouble, seed: UInt64, _ contender: Contender) {
        var source = SplitMix64(seed: seed)
        var worldRandom = SplitMix64(seed: source.next())
        let answersRandom = SplitMix64(seed: source.next())
        let jitter = SplitMix64(seed: source.next())
        let world = TroubleWorld(trouble, random: &worldRandom)
        let upstreams = PlainUpstreams(
            world.upstreams.map { PlainUpstreams.Member(maxConcurrency: $0.maxConcurrency, throttle: $0.tenancy) })
        // The bound of the line is not what is judged here.
        let core = RoutingCore(
            limits: .init(concurrency: world.concurrency, queue: 10 * LimitSettings().queueSize),
            strategy: contender.make(), members: upstreams.coreMembers)
        self.world = world
        shell = Shell(
            world.requests, .init(stops: world.stops, end: world.end), core: core, upstreams: upstreams,
            truth: TroubleAnswers(world, random: answersRandom), watcher: TroubleTally(world), jitter: jitter
        ) { world.models[$0] ?? UpstreamSet() }
    }

    /// Runs until every request has ended.
    package mutating func run() -> TroubleFigures {
        shell.run()
        let opened = shell.upstreams.changes.count {
            $0.upstream == .open || $0.model.map { $0.state == .open && $0.id != TroubleWorld.sickModel } ?? false
        }
        let tally = shell.watcher
        return TroubleFigures(
            requests: shell.requests.count, answers: tally.answers,
            oracle: TroubleOracle.answers(
                to: world.requests.filter { world.isCounted($0) && !$0.isRepeated }, in: world),
            attempts: tally.attempts,
            throttled: tally.throttled, outOfTime: tally.outOfTime, opened: opened, lingers: tally.lingers,
            leftWaiting: shell.core.waiting,
            leftInFlight: shell.core.permits.inUse, limitsKept: shell.limitsKept)
    }
}
