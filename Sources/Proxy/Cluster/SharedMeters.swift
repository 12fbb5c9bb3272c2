import ProxyAccounting
import ProxyCluster
import Synchronization

/// What keys may use over all instances together: requests and tokens a minute, and budgets. A request finds in memory what it may use.
final class SharedMeters: Sendable {
    /// Something that a request is to use.
    struct Demand: Equatable, Sendable {
        var meter: MeterName
        /// Of all instances together.
        var limit: Int64
        /// 1 or more.
        var amount: Int64
    }

    struct Refusal: Equatable, Sendable {
        /// Which of the demands could not be met.
        var index: Int
        /// How long to wait; nil until a period ends.
        var wait: Duration?
    }

    fileprivate struct Entry {
        var meter: Meter
        var name: MeterName
        var lastUsed: Duration
    }

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// Those of the exchange that is under way, in its order.
        var asked: [String] = []
        var count = 1
        var leaseEnd = Duration.zero
    }

    private let state = Mutex(State())
    /// Rung when a request has been refused that another share might let in.
    private let bell: ExchangeBell
    /// A meter that nobody has used for so long is forgotten here; the engine keeps what was used.
    private static let idle = Duration.seconds(600)
    /// In one exchange: what is used least of late waits.
    static let most = 2_000

    init(_ bell: ExchangeBell) { self.bell = bell }

    // MARK: Requests

    /// Takes what a request is to use, all of it or nothing.
    ///
    /// - Returns: nil when it has been taken.
    func take(_ demands: [Demand], at now: Duration) -> Refusal? {
        state.withLock { state in
            for (index, demand) in demands.enumerated() {
                let key = demand.meter.text
                var entry = state.entry(of: demand, key: key, at: now)
                let isTaken = entry.meter.take(demand.amount, at: now)
                state.entries[key] = entry
                guard !isTaken else { continue }
                for earlier in demands[..<index] {
                    state.entries[earlier.meter.text]?.meter.correct(by: -max(earlier.amount, 1))
                }
                if entry.meter.remaining != 0 { bell.ring() }
                return Refusal(index: index, wait: entry.meter.wait(for: demand.amount, at: now))
            }
            return nil
        }
    }

    /// Uses more than was taken, or gives back what was not used.
    func correct(_ meter: MeterName, by difference: Int64) {
        guard difference != 0 else { return }
        state.withLock { $0.entries[meter.text]?.meter.correct(by: difference) }
    }

    // MARK: Exchanges

    /// What is told to the engine.
    ///
    /// - Parameter seconds: since 1970.
    func report(at now: Duration, _ seconds: Int64) -> [ExchangeRequest.Meter] {
        state.withLock { state in
            state.entries = state.entries.filter { now - $0.value.lastUsed < Self.idle }
            state.asked = state.entries.keys.sorted {
                (state.entries[$0]?.lastUsed ?? .zero, $0) > (state.entries[$1]?.lastUsed ?? .zero, $1)
            }
            if state.asked.count > Self.most { state.asked.removeLast(state.asked.count - Self.most) }
            return state.asked.compactMap { key in
                state.entries[key].map { $0.name.life(at: seconds) }.flatMap { life in
                    state.entries[key]?.meter.report(life: life, at: now)
                }
            }
        }
    }

    /// The engine has answered what `report` has told.
    ///
    /// - Parameters:
    ///   - end: of the lease.
    ///   - count: of instances.
    func apply(_ blocks: [ExchangeReply.Block], until end: Duration, among count: Int, isLearning: Bool) {
        state.withLock { state in
            (state.leaseEnd, state.count) = (end, count)
            for (key, block) in zip(state.asked, blocks) {
                state.entries[key]?.meter.apply(block, until: end, isLearning: isLearning)
            }
            state.asked = []
        }
    }

    /// There is no engine: each goes on with its part.
    ///
    /// - Parameter end: until when that is known.
    func goOnAlone(among count: Int, until end: Duration, at now: Duration) {
        state.withLock { state in
            (state.leaseEnd, state.count) = (end, count)
            for key in Array(state.entries.keys) {
                state.entries[key]?.meter.goOnAlone(among: count, until: end, at: now)
            }
        }
    }
}

extension SharedMeters.State {
    fileprivate func entry(of demand: SharedMeters.Demand, key: String, at now: Duration) -> SharedMeters.Entry {
        var entry =
            entries[key]
            ?? SharedMeters.Entry(
                meter: Meter(
                    name: key, kind: demand.meter.isRate ? .rate : .budget, limit: demand.limit,
                    typical: demand.amount), name: demand.meter, lastUsed: now)
        if entries[key] == nil { entry.meter.lendFirst(among: count, until: max(leaseEnd, now + .seconds(5))) }
        if entry.meter.limit != demand.limit { entry.meter.limit = demand.limit }
        entry.lastUsed = now
        return entry
    }
}

/// What a meter counts, and of whom: the same at all instances.
enum MeterName: Hashable, Sendable {
    case requestsPerMinute(key: String)
    case tokensPerMinute(key: String)
    /// - `end`: of the period, in seconds since 1970; nil when it has none.
    case budget(key: String, BudgetWindow, isMoney: Bool, end: Int64?)

    var isRate: Bool {
        switch self {
        case .requestsPerMinute, .tokensPerMinute: true
        case .budget: false
        }
    }

    /// What comes last may hold anything.
    var text: String {
        switch self {
        case .requestsPerMinute(let key): "rpm/\(key)"
        case .tokensPerMinute(let key): "tpm/\(key)"
        case .budget(let key, let window, let isMoney, let end):
            "budget/\(window.rawValue)/\(isMoney ? "money" : "tokens")/\(end ?? 0)/\(key)"
        }
    }

    /// How long the engine keeps it when nobody mentions it.
    ///
    /// - Parameter seconds: since 1970.
    func life(at seconds: Int64) -> Duration {
        switch self {
        case .requestsPerMinute, .tokensPerMinute: .seconds(300)
        // An hour for clocks that differ, and for who comes late.
        case .budget(_, _, _, let end): end.map { .seconds(max($0 - seconds, 0) + 3_600) } ?? .seconds(400 * 86_400)
        }
    }
}
