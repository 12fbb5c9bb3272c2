import Synchronization

/// The writer's signs of life, for who looks at it from outside: a disk that does not answer keeps the one thread that could tell of it.
final class WriterPulse: Sendable {
    private let clock: @Sendable () -> Int64
    private let limit: Duration
    /// The moment since which a sign is owed, in the clock's microseconds: now where the writer works, the end of its wait where it waits.
    private let owed: Atomic<Int64>

    /// - Parameters:
    ///   - limit: how long the writer may be without a sign.
    ///   - clock: microseconds that never go back.
    init(limit: Duration, clock: @escaping @Sendable () -> Int64) {
        self.limit = limit
        self.clock = clock
        owed = Atomic(clock())
    }

    /// The writer has got something done, or begins.
    func beat() { owed.store(clock(), ordering: .relaxed) }

    /// The writer has nothing to do for so long at most.
    func rest(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        owed.store(clock() + seconds * 1_000_000 + attoseconds / 1_000_000_000_000, ordering: .relaxed)
    }

    /// The writer does nothing any more.
    func end() { owed.store(.max, ordering: .relaxed) }

    /// For how long it has got nothing done; nil when that is not too long.
    var standstill: Duration? {
        let owed = owed.load(ordering: .relaxed)
        let now = clock()
        guard owed < now else { return nil }
        let length = Duration.microseconds(now - owed)
        return length >= limit ? length : nil
    }
}
