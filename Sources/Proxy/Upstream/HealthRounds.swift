/// Health checks for those who ask, where none are made by the clock: one round at a time, at most one in ten seconds.
actor HealthRounds {
    private static let interval = Duration.seconds(10)

    private let monitor: Monitor
    private var last: Duration?
    private var round: Task<Void, Never>?

    init(_ monitor: Monitor) { self.monitor = monitor }

    /// Returns when the round that is under way, or a new one when that is due, has ended. Who leaves meanwhile does not end it.
    func refresh() async {
        if round == nil, last.map({ monitor.time.now() - $0 >= Self.interval }) ?? true {
            last = monitor.time.now()
            round = Task { await monitor.round() }
        }
        guard let round else { return }
        await round.value
        self.round = nil
    }
}
