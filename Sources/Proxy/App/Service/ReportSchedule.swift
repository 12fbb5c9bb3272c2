/// When the service manager hears a sign of life and a line of status. No clock in here.
struct ReportSchedule {
    /// A change of the status is told within this time.
    static let statusInterval = Duration.seconds(10)

    /// Half of what the manager allows, as sd_watchdog_enabled(3) advises; nil without a watchdog.
    private let pingInterval: Duration?
    private var nextPing: Duration
    private var nextStatus: Duration
    private var told: String?

    /// - Parameter watchdog: the silence after which the manager takes the process for dead.
    init(watchdog: Duration?, at now: Duration) {
        pingInterval = watchdog.map { $0 / 2 }
        nextPing = now
        nextStatus = now
    }

    /// When to call `report` again.
    var next: Duration { pingInterval == nil ? nextStatus : min(nextPing, nextStatus) }

    /// What is to be told now, after the router has answered.
    mutating func report(_ status: String, at now: Duration) -> [ServiceMessage] {
        var messages: [ServiceMessage] = []
        if let pingInterval, now >= nextPing {
            nextPing = now + pingInterval
            messages.append(.watchdog)
        }
        if now >= nextStatus {
            nextStatus = now + Self.statusInterval
            if status != told { messages.append(.status(status)) }
            told = status
        }
        return messages
    }
}
