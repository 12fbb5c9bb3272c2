/// One message to the service manager (sd_notify(3)).
enum ServiceMessage: Equatable, Sendable {
    /// The port listens, or a reload has ended.
    case ready
    /// A reload begins. Microseconds of `CLOCK_MONOTONIC`, by which the manager tells this reload from one before it.
    case reloading(monotonic: UInt64)
    case stopping
    /// One line for who asks with `systemctl status`.
    case status(String)
    /// Sign of life.
    case watchdog

    var text: String {
        switch self {
        case .ready: "READY=1"
        case .reloading(let monotonic): "RELOADING=1\nMONOTONIC_USEC=\(monotonic)"
        case .stopping: "STOPPING=1"
        case .status(let line): "STATUS=\(line)"
        case .watchdog: "WATCHDOG=1"
        }
    }
}

/// What the service manager believes about the process, so that it is told nothing that does not follow: a reload before the port
/// listens must not say READY, and whoever stops does not become ready again.
struct ServiceState {
    private enum Phase { case starting, ready, reloading, stopping }
    private var phase = Phase.starting

    /// The port listens.
    mutating func started() -> ServiceMessage? {
        guard phase == .starting else { return nil }
        phase = .ready
        return .ready
    }

    /// - Parameter monotonic: microseconds of `CLOCK_MONOTONIC`.
    mutating func reloadBegan(monotonic: UInt64) -> ServiceMessage? {
        guard phase == .ready else { return nil }
        phase = .reloading
        return .reloading(monotonic: monotonic)
    }

    /// The reload is over, whether or not it has changed anything.
    mutating func reloadEnded() -> ServiceMessage? {
        guard phase == .reloading else { return nil }
        phase = .ready
        return .ready
    }

    mutating func stopped() -> ServiceMessage? {
        guard phase != .stopping else { return nil }
        phase = .stopping
        return .stopping
    }
}
