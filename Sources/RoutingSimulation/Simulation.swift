import Proxy
import ProxyRouting
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
            in: world, load: conditions.load, bursts: conditions.scenario.hasBursts, patience: conditions.patience,
            random: &requestRandom)
        let upstreams = PlainUpstreams(
            world.accounts.map {
                PlainUpstreams.Member(
                    maxConcurrency: $0.maxConcurrency, weight: $0.maxConcurrency, throttle: $0.tenancy)
            })
        // The global limit is not what is judged here.
        let concurrency = world.accounts.reduce(0) { $0 + $1.maxConcurrency }
        let core = RoutingCore(
            limits: .init(concurrency: concurrency, queue: conditions.queueSize), strategy: contender.make(),
            members: upstreams.coreMembers)
        let accepts = UpstreamSet(first: world.accounts.count)
        self.world = world
        shell = Shell(
            requests,
            .init(retryAttempts: conditions.retryAttempts, healthCheckInterval: conditions.healthCheckInterval),
            core: core,
            upstreams: upstreams, truth: Answers(world), watcher: Tally(world, requests), jitter: jitter
        ) { _ in accepts }
    }

    /// Runs until every request has ended.
    package mutating func run() -> RunFigures {
        shell.run()
        let oracle = Oracle.completions(of: shell.requests, in: world, patience: conditions.patience)
        return shell.watcher.figures(
            oracle: oracle, leftWaiting: shell.core.waiting, leftInFlight: shell.core.permits.inUse,
            limitsKept: shell.limitsKept)
    }
}
