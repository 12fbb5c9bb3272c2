import ServiceLifecycle

/// Tells the service manager now and then that the process lives and how it is doing.
///
/// Only an answer of the router makes a sign of life: a router that hangs is a proxy that serves nobody, however well the rest of the
/// process does, and a process whose threads are all stuck does not even come to ask.
struct ServiceReport: Service {
    let notifier: ServiceNotifier
    let watchdog: Duration?
    /// Asks the router.
    let summary: @Sendable () async -> HealthRoute.Summary
    let drain: Drain
    let time: TimeSource

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var schedule = ReportSchedule(watchdog: watchdog, at: time.now())
            repeat {
                let line = Self.line(await summary(), isDraining: drain.isDraining)
                for message in schedule.report(line, at: time.now()) { notifier.send(message) }
            } while (try? await time.sleep(schedule.next)) != nil
        }
    }

    /// `STATUS=` for `systemctl status`.
    static func line(_ summary: HealthRoute.Summary, isDraining: Bool) -> String {
        let state = isDraining ? "Draining" : "\(summary.healthy) of \(summary.total) accounts healthy"
        return "\(state), \(summary.inFlight) \(summary.inFlight == 1 ? "request" : "requests") in flight"
    }
}
