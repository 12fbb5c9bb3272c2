import Logging
import ServiceLifecycle

/// Asks every account how it does, at start and then each interval, side by side.
struct Monitor: Service {
    let upstreams: [Upstream]
    /// `health_check_interval`; zero turns the checks off after the first round.
    let interval: Duration
    let time: TimeSource
    let logger: Logger

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                await round()
                var healthy = 0
                for upstream in upstreams where await upstream.health.isHealthy { healthy += 1 }
                logger.info("Healthy accounts: \(healthy)/\(upstreams.count)")
                while interval > .zero {
                    try await time.sleep(for: interval)
                    await round()
                }
                // Nothing left to do, yet a service that returns would end the group.
                try await gracefulShutdown()
            }
        } catch is CancellationError {
            // The way in which this service ends.
        }
    }

    /// One check of every account.
    func round() async {
        await withDiscardingTaskGroup { group in
            for upstream in upstreams {
                group.addTask { await check(upstream) }
            }
        }
    }

    private func check(_ upstream: Upstream) async {
        guard let report = try? await AccountProbe.run(upstream.account, limit: 1) else { return }
        let before = await upstream.health
        await upstream.note(report.probe)
        let after = await upstream.health
        if let error = report.error {
            logger.warning("Health check failed", metadata: ["account": "\(upstream.id)", "error": "\(error)"])
        }
        if before.isHealthy != after.isHealthy {
            logger.log(
                level: after.isHealthy ? .info : .error, "Account is \(after.isHealthy ? "healthy again" : "unhealthy")",
                metadata: ["account": "\(upstream.id)"])
        }
    }
}
