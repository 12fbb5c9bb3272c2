import Synchronization

/// Watches over all deadlines of a clock with one sleeping task: a timer for each request would be set, moved with every chunk and torn down,
/// thousands of times a second, and almost none of them ever rings.
///
/// It looks at them when the earliest is due, and at least every second, since deadlines move without telling it, and so that it notices when the
/// process stood still (`ClockGap`): then all of them are postponed before they are judged.
final class DeadlineWatch: Sendable {
    /// The longest time between two looks.
    static let interval = Duration.seconds(1)

    /// For `remove`.
    struct Ticket: Sendable {
        fileprivate let slot: Int
        fileprivate let number: UInt64

        /// Of one that nobody looks after.
        fileprivate static let ofNone = Ticket(slot: -1, number: 0)
    }

    /// What is looked after, each in its slot until it is removed: a request sets one or two, and to hash for that costs more than the rest of it.
    private struct Slots {
        private var taken: [(number: UInt64, deadline: MovingDeadline)?] = []
        private var free: [Int] = []
        private var lastNumber: UInt64 = 0

        var isEmpty: Bool { free.count == taken.count }
        var deadlines: [MovingDeadline] { taken.compactMap { $0?.deadline } }

        mutating func add(_ deadline: MovingDeadline) -> Ticket {
            lastNumber += 1
            if let slot = free.popLast() {
                taken[slot] = (lastNumber, deadline)
                return Ticket(slot: slot, number: lastNumber)
            }
            taken.append((lastNumber, deadline))
            return Ticket(slot: taken.count - 1, number: lastNumber)
        }

        mutating func remove(_ ticket: Ticket) {
            guard ticket.slot >= 0, taken[ticket.slot]?.number == ticket.number else { return }
            taken[ticket.slot] = nil
            free.append(ticket.slot)
        }
    }

    private struct State {
        var slots = Slots()
        /// When the sleeper wakes; nil while there is none.
        var nextLook: Duration?
        var sleeper: Task<Void, Never>?
        /// Nil on a clock whose leaps mean nothing.
        var gap: ClockGap?
        var onGap: @Sendable (_ length: Duration) -> Void = { _ in }
    }

    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (_ until: Duration) async throws -> Void
    /// It sleeps on when no deadline is left: the next one comes soon, and needs no timer then.
    private let lingers: Bool
    private let state: Mutex<State>

    init(
        now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (_ until: Duration) async throws -> Void,
        lingers: Bool, noticesGaps: Bool
    ) {
        self.now = now
        self.sleep = sleep
        self.lingers = lingers
        state = Mutex(State(gap: noticesGaps ? ClockGap() : nil))
    }

    /// How often the clock has leapt while there were deadlines, the leap of this moment included, whether it has been noticed or not.
    var gaps: Int {
        let now = now()
        return state.withLock { $0.gap?.count(at: now, planned: $0.nextLook) ?? 0 }
    }

    /// Whether the clock has leapt since that moment.
    func hasLeapt(since instant: Duration) -> Bool {
        let now = now()
        return state.withLock { $0.gap?.hasBeen(since: instant, at: now, planned: $0.nextLook) ?? false }
    }

    /// Has `report` told of each leap, before deadlines are judged.
    func onGap(_ report: @escaping @Sendable (_ length: Duration) -> Void) { state.withLock { $0.onGap = report } }

    /// Looks after the deadline until it is removed. One that is due already has passed when this returns.
    func add(_ deadline: MovingDeadline) -> Ticket {
        let now = now()
        guard let due = deadline.check(at: now) else { return .ofNone }
        return state.withLock { state in
            plan(&state, for: min(due, now + Self.interval))
            return state.slots.add(deadline)
        }
    }

    func remove(_ ticket: Ticket) {
        state.withLock { state in
            state.slots.remove(ticket)
            guard !lingers, state.slots.isEmpty else { return }
            state.sleeper?.cancel()
            state.nextLook = nil
        }
    }

    /// Sees to it that there is a look at that moment or before.
    private func plan(_ state: inout State, for instant: Duration) {
        if let next = state.nextLook, next <= instant { return }
        state.sleeper?.cancel()
        state.nextLook = instant
        state.sleeper = Task { [weak self, sleep] in
            // Cancelled: another sleeps in its place.
            guard (try? await sleep(instant)) != nil else { return }
            self?.look(for: instant)
        }
    }

    private func look(for instant: Duration) {
        let now = now()
        let (present, delay, report) = state.withLock {
            state -> ([MovingDeadline], ClockGap.Delay?, @Sendable (Duration) -> Void) in
            // Another look was planned for an earlier moment while this one began.
            guard state.nextLook == instant else { return ([], nil, state.onGap) }
            state.nextLook = nil
            return (state.slots.deadlines, state.gap?.looked(at: now, planned: instant), state.onGap)
        }
        if let delay {
            report(delay.length)
            for deadline in present { deadline.postpone(by: delay) }
        }
        // Those that have passed stay until their operations have ended, and are not asked again in vain.
        let earliest = present.compactMap { $0.check(at: now) }.min()
        guard let earliest else { return }
        state.withLock { plan(&$0, for: min(earliest, now + Self.interval)) }
    }
}
