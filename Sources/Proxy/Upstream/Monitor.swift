import Logging
import ProxyRouting
import ServiceLifecycle

/// Asks every account how it does, at start and then each interval, side by side.
struct Monitor: Service {
    let router: Router
    /// Whom it asks.
    let upstreams: [Upstream]
    /// Accounts that cannot be used although they should be: they count as unhealthy.
    let broken: Int
    /// `health_check_interval`; zero turns the checks off. Not even the first is made then: whom it found unhealthy would stay
    /// so for ever.
    let interval: Duration
    let time: TimeSource
    let logger: Logger
    private let clockWarnings = PacedWarnings(interval: .seconds(3600))

    init(
        router: Router, upstreams: [Upstream]? = nil, broken: Int, interval: Duration, time: TimeSource, logger: Logger
    ) {
        self.router = router
        self.upstreams = upstreams ?? router.upstreams
        self.broken = broken
        self.interval = interval
        self.time = time
        self.logger = logger
    }

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        do {
            try await cancelWhenGracefulShutdown {
                if interval == .zero {
                    logger.info("Health checks are off")
                    return try await gracefulShutdown()
                }
                // After a reload those who were there before wait for their turn.
                await round(of: await states().filter { $0.state.health.lastCheck == nil }.map(\.upstream))
                let states = await states()
                let healthy = states.count { $0.state.health.isHealthy }
                logger.info("Healthy accounts: \(healthy)/\(states.count + broken)")
                while true {
                    let last = await self.states().compactMap { $0.state.health.lastCheck?.at }.min()
                    try await time.sleep((last ?? time.now()) + interval)
                    await round()
                }
            }
        } catch {
            // The way in which this service ends.
        }
    }

    private func states() async -> [(upstream: Upstream, state: UpstreamState)] {
        let snapshot = await router.snapshot()
        return upstreams.map { snapshot.upstreams[$0.index] }
    }

    /// One check of every account.
    func round() async { await round(of: upstreams) }

    private func round(of upstreams: [Upstream]) async {
        await withDiscardingTaskGroup { group in
            for upstream in upstreams {
                group.addTask { await check(upstream) }
            }
        }
    }

    /// One that failed while the process stood still says nothing about the upstream, and is made again.
    private func probe(_ upstream: Upstream) async throws -> ProbeReport {
        let gaps = time.gaps
        let report = try await upstream.backend.probe(limit: 1)
        guard report.probe != .passed, time.gaps != gaps else { return report }
        return try await upstream.backend.probe(limit: 1)
    }

    private func check(_ upstream: Upstream) async {
        guard let report = try? await probe(upstream) else { return }
        let change = await router.note(report.probe, of: upstream, latency: report.latency)
        if let error = report.error {
            logger.warning("Health check failed", metadata: ["account": "\(upstream.id)", "error": "\(error)"])
        }
        if let skew = report.skew, clockWarnings.isDue(upstream.id, at: time.now()) {
            logger.warning("\(skew.hint)", metadata: ["account": "\(upstream.id)"])
        }
        if change.before != change.after {
            logger.log(
                level: change.after ? .info : .error, "Account is \(change.after ? "healthy again" : "unhealthy")",
                metadata: ["account": "\(upstream.id)"])
        }
    }
}
