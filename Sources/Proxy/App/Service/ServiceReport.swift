import ServiceLifecycle

/// Tells the service manager now and then that the process lives and how it is doing.
///
/// Only an answer of the router makes a sign of life: a router that hangs is a proxy that serves nobody, however well the rest of the
/// process does, and a process whose threads are all stuck does not even come to ask.
struct ServiceReport: Service {
    let notifier: ServiceNotifier
    let watchdog: Duration?
    let router: Router
    let doors: Doors
    let drain: Drain
    let time: TimeSource

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var schedule = ReportSchedule(watchdog: watchdog, at: time.now())
            repeat {
                let snapshot = await router.snapshot()
                let (healthy, total) = doors.current.routes.health.count(in: snapshot)
                let line = Self.line(healthy: healthy, total: total, inFlight: snapshot.permits.inUse, isDraining: drain.isDraining)
                for message in schedule.report(line, at: time.now()) { notifier.send(message) }
            } while (try? await time.sleep(schedule.next)) != nil
        }
    }

    /// `STATUS=` for `systemctl status`.
    static func line(healthy: Int, total: Int, inFlight: Int, isDraining: Bool) -> String {
        let state = isDraining ? "Draining" : "\(healthy) of \(total) accounts healthy"
        return "\(state), \(inFlight) \(inFlight == 1 ? "request" : "requests") in flight"
    }
}
