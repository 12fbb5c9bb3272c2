import Synchronization

/// Work that costs something and that many may ask for at once: it is done in rounds, one at a time, each for all who have asked for it. Two of
/// them begin no sooner after each other than `interval`, also those of rounds with the same pace: a reload makes new rounds.
actor SharedRounds<Value: Sendable> {
    private let interval: Duration
    private let time: TimeSource
    private let work: @Sendable () async -> Value
    private let pace: RoundPace
    private var last: Value?
    private var running: Task<Value, Never>?
    private var next: Task<Value, Never>?

    init(
        every interval: Duration, by pace: RoundPace = RoundPace(), time: TimeSource,
        _ work: @escaping @Sendable () async -> Value
    ) {
        self.interval = interval
        self.pace = pace
        self.time = time
        self.work = work
    }

    /// What the round finds that is under way, or a new one when that is due, or else what the last one found. Who leaves meanwhile does not
    /// end it.
    func recent() async -> Value {
        if let running { return await running.value }
        if isDue { return await begin().value }
        if let last { return last }
        return await fresh()
    }

    /// What a round finds that begins after this question: at once, or when the one under way has ended and the interval is over. All who ask
    /// until then get the same.
    func fresh() async -> Value {
        if let next { return await next.value }
        if running == nil, isDue { return await begin().value }
        // A task of its own, since whoever began it may leave while others wait for it; its time is bounded by the work's.
        let task = Task { await self.follow() }
        next = task
        return await task.value
    }

    private var isDue: Bool { pace.lastStart.map { time.now() - $0 >= interval } ?? true }

    private func follow() async -> Value {
        _ = await running?.value
        // Nobody cancels this task.
        if let lastStart = pace.lastStart { try? await time.sleep(lastStart + interval) }
        next = nil
        return await begin().value
    }

    private func begin() -> Task<Value, Never> {
        pace.began(at: time.now())
        // As above.
        let task = Task {
            let value = await work()
            end(value)
            return value
        }
        running = task
        return task
    }

    private func end(_ value: Value) {
        last = value
        running = nil
    }
}

/// When a round of a kind began last.
final class RoundPace: Sendable {
    private let last = Mutex<Duration?>(nil)

    var lastStart: Duration? { last.withLock { $0 } }

    func began(at now: Duration) { last.withLock { $0 = now } }
}
