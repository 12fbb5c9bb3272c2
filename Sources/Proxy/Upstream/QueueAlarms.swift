/// The instants at which the queue is to be looked at, since time alone changes something then.
struct QueueAlarms {
    /// Those that are set, in the order in which they were.
    let instants: AsyncStream<Duration>
    private let continuation: AsyncStream<Duration>.Continuation
    /// Those that have not rung yet.
    private var pending: Set<Duration> = []

    init() { (instants, continuation) = AsyncStream.makeStream(of: Duration.self) }

    /// Sets an alarm, unless one rings before.
    mutating func set(for instant: Duration) {
        guard !pending.contains(where: { $0 <= instant }) else { return }
        pending.insert(instant)
        continuation.yield(instant)
    }

    mutating func rang(_ instant: Duration) { pending.remove(instant) }
}
