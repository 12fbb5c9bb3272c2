import ProxyAccounting
import Synchronization

/// What one key has used, and how it stands: one counter decides and reports. It outlives reloads; the limits are those of whoever asks.
final class KeyAccount: Sendable {
    /// Of the key.
    let name: String

    private struct State {
        var budgets = BudgetState()
        var rates = KeyRates()
        var clock: BudgetClock
    }
    private let state: Mutex<State>
    private let recent = RecentCharges()
    /// What is shared with other instances; nil where there are none.
    private let shared: SharedMeters?
    private let running = Atomic(0)

    /// Requests that are being answered.
    var requests: Int { running.load(ordering: .relaxed) }
    func begin() { running.wrappingAdd(1, ordering: .relaxed) }
    func end() { running.wrappingSubtract(1, ordering: .relaxed) }

    private let lastUse = Atomic<Int64>(.min)

    /// When its last request that has ended arrived, in seconds since 1970; nil when this process has had none.
    var lastUsed: Int64? {
        let last = lastUse.load(ordering: .relaxed)
        return last == .min ? nil : last
    }
    func wasUsed(at seconds: Int64) {
        // Looked at first: a write would take the cache line from all others, each time.
        if lastUse.load(ordering: .relaxed) < seconds { lastUse.store(seconds, ordering: .relaxed) }
    }

    init(name: String, calendar: BudgetCalendar = .utc, shared: SharedMeters? = nil) {
        self.name = name
        self.shared = shared
        state = Mutex(State(clock: BudgetClock(calendar)))
    }

    /// What is reserved for a call, to be settled once.
    struct Hold: Sendable {
        fileprivate let reservation: BudgetReservation
        /// Of the minute's tokens, until it has been settled.
        fileprivate var grant: KeyRates.Grant?
        /// What was taken of what instances share.
        fileprivate var shares: [SharedMeters.Demand] = []
        /// Soft budgets that are spent.
        let exceeded: [BudgetStanding]
        /// Those of them that nobody has been told of in their period.
        let crossed: [BudgetStanding]
        /// What the key has left of its minute.
        let tokens: RateBucket.Standing?
    }

    enum Refusal: Error {
        case tokens(perMinute: Int, wait: Duration)
        case budget(BudgetRefusal)
    }

    /// Goes on from what the ledger has.
    func restore(_ counters: [LedgerCounter], soft: [Budget], at seconds: Int64) {
        withState { $0.budgets.restore(counters, soft: soft, at: seconds, by: &$0.clock) }
    }

    /// Periods are those of another time zone from now on. What has been spent in those that are under way stays where it was counted.
    func follow(_ calendar: BudgetCalendar) {
        withState { if $0.clock.calendar != calendar { $0.clock = BudgetClock(calendar) } }
    }

    /// Reserves what a call may use at most.
    ///
    /// - Parameters:
    ///   - cost: nil when there is no price, or nobody wants to know.
    ///   - now: of the monotonic clock.
    ///   - seconds: since 1970; when its request arrived.
    func reserve(tokens: Int64, cost: NanoDollars?, by limits: KeyLimits, at now: Duration, _ seconds: Int64)
        throws(Refusal) -> Hold
    {
        var hold = try reserveHere(tokens: tokens, cost: cost, by: limits, at: now, seconds)
        guard let shared else { return hold }
        let demands = demands(tokens: tokens, cost: cost, by: limits, at: seconds)
        guard let refusal = shared.take(demands.map(\.demand), at: now) else {
            hold.shares = demands.map(\.demand)
            return hold
        }
        giveBack(hold, at: now, seconds)
        throw demands[refusal.index].refusal(refusal.wait)
    }

    /// What a call may use at most, of what instances share; and what it means when there is not so much.
    private func demands(tokens: Int64, cost: NanoDollars?, by limits: KeyLimits, at seconds: Int64) -> [(
        demand: SharedMeters.Demand, refusal: (Duration?) -> Refusal
    )] {
        var demands: [(demand: SharedMeters.Demand, refusal: (Duration?) -> Refusal)] = []
        if let perMinute = limits.tokensPerMinute {
            let demand = SharedMeters.Demand(
                meter: .tokensPerMinute(key: name), limit: Int64(perMinute),
                amount: max(1, min(tokens, Int64(perMinute))))
            demands.append((demand, { .tokens(perMinute: perMinute, wait: $0 ?? .seconds(60)) }))
        }
        for standing in standings(of: limits.hardBudgets, at: seconds) {
            let worst = BudgetState.counted(
                max(0, standing.budget.isMoney ? cost ?? 0 : tokens), against: standing.budget)
            let demand = SharedMeters.Demand(
                meter: .budget(
                    key: name, standing.budget.window, isMoney: standing.budget.isMoney, end: standing.resetsAt),
                limit: standing.limit, amount: max(1, worst))
            demands.append(
                (demand, { _ in .budget(BudgetRefusal(standing: standing, needed: worst, waitsForRunning: false)) }))
        }
        return demands
    }

    /// Uses of what instances share what a call has used beyond what was taken for it, or gives the rest back.
    private func settle(_ shares: [SharedMeters.Demand], tokens: Int64, cost: NanoDollars) {
        guard let shared else { return }
        for share in shares {
            let used: Int64 =
                switch share.meter {
                case .requestsPerMinute: 1
                case .tokensPerMinute: tokens
                case .budget(_, _, let isMoney, _): isMoney ? cost : tokens
                }
            shared.correct(share.meter, by: used - share.amount)
        }
    }

    private func reserveHere(
        tokens: Int64, cost: NanoDollars?, by limits: KeyLimits, at now: Duration, _ seconds: Int64
    ) throws(Refusal) -> Hold {
        try withState { state throws(Refusal) in
            var grant: KeyRates.Grant?
            if let perMinute = limits.tokensPerMinute {
                let decision = state.rates.admit(
                    // What is announced beyond a minute's worth could not be taken, and must not be given back.
                    estimate: min(tokens, Int64(perMinute)), requestsPerMinute: nil, tokensPerMinute: perMinute, at: now
                )
                switch decision {
                case .admitted(let taken): grant = taken
                case .refused(_, let wait): throw .tokens(perMinute: perMinute, wait: wait)
                }
            }
            let decision = state.budgets.reserve(
                tokens: tokens, cost: cost, hard: limits.hardBudgets, soft: limits.softBudgets, at: seconds,
                by: &state.clock)
            switch decision {
            case .admitted(let admission):
                let standing = state.rates.standings(
                    requestsPerMinute: nil, tokensPerMinute: limits.tokensPerMinute, at: now
                ).tokens
                return Hold(
                    reservation: admission.reservation, grant: grant, exceeded: admission.exceeded,
                    crossed: admission.crossed, tokens: standing)
            case .refused(let refusal):
                if let grant { state.rates.settle(grant, used: 0, at: now) }
                throw .budget(refusal)
            }
        }
    }

    /// Charges what a request has used: with its first call, whichever of them it was.
    ///
    /// - Parameter holds: of its calls; none for a request that was refused before.
    /// - Returns: soft budgets that nobody has been told of in their period.
    func settle(
        _ holds: [Hold], tokens: Int64, cost: NanoDollars, by limits: KeyLimits, at now: Duration, _ seconds: Int64
    ) -> [BudgetStanding] {
        for (index, hold) in holds.enumerated() where !hold.shares.isEmpty {
            settle(hold.shares, tokens: index == 0 ? tokens : 0, cost: index == 0 ? cost : 0)
        }
        return withState { state in
            var crossed: [BudgetStanding] = []
            if holds.isEmpty {
                return state.budgets.charge(
                    tokens: tokens, cost: cost, soft: limits.softBudgets, at: seconds, by: &state.clock)
            }
            for (index, hold) in holds.enumerated() {
                let isFirst = index == 0
                if let grant = hold.grant { state.rates.settle(grant, used: isFirst ? tokens : 0, at: now) }
                crossed += state.budgets.settle(
                    hold.reservation, tokens: isFirst ? tokens : 0, cost: isFirst ? cost : 0, soft: limits.softBudgets,
                    at: seconds, by: &state.clock, isRequest: isFirst)
            }
            return crossed
        }
    }

    /// Charges what a request of a key has used that has nothing to reserve, and nobody to be told.
    func charge(tokens: Int64, cost: NanoDollars, _ seconds: Int64) {
        if recent.add(tokens: tokens, cost: cost, at: seconds) { return }
        let common = withState { state in
            _ = state.budgets.charge(tokens: tokens, cost: cost, at: seconds, by: &state.clock)
            return state.budgets.common
        }
        recent.begin(common)
    }

    /// Whoever looks sees all that has been charged.
    private func withState<Result, Problem: Error>(_ work: (inout sending State) throws(Problem) -> Result)
        throws(Problem) -> Result
    {
        try state.withLock { state throws(Problem) in
            if let sums = recent.take() {
                state.budgets.charge(recent: sums.requests, tokens: sums.tokens, cost: sums.cost)
            }
            let common = state.budgets.common
            defer { if state.budgets.common != common { recent.forget() } }
            return try work(&state)
        }
    }

    /// Gives back what was reserved for a call that has cost nothing. Its request goes on, and is counted when it ends.
    func giveBack(_ hold: Hold, at now: Duration, _ seconds: Int64) {
        if !hold.shares.isEmpty { settle(hold.shares, tokens: 0, cost: 0) }
        withState { state in
            if let grant = hold.grant { state.rates.settle(grant, used: 0, at: now) }
            _ = state.budgets.settle(
                hold.reservation, tokens: 0, cost: 0, at: seconds, by: &state.clock, isRequest: false)
        }
    }

    /// Charges the minute with what a request has used, before the rest is settled: its answer is about to say what is left.
    func settleMinute(_ holds: inout [Hold?], tokens: Int64, at now: Duration) {
        withState { state in
            var isFirst = true
            for index in holds.indices {
                guard let grant = holds[index]?.grant.take() else { continue }
                state.rates.settle(grant, used: isFirst ? tokens : 0, at: now)
                isFirst = false
            }
        }
    }

    // MARK: Looking at it

    /// How far budgets are spent.
    func standings(of budgets: [Budget], at seconds: Int64) -> [BudgetStanding] {
        withState { $0.budgets.standings(of: budgets, at: seconds, by: &$0.clock) }
    }

    /// What has been charged in the periods that are under way.
    func counters(at seconds: Int64) -> [LedgerCounter] {
        withState { state in
            BudgetWindow.allCases.map { state.budgets.counter(of: name, per: $0, at: seconds, by: &state.clock) }
        }
    }

    /// What is left of the minute.
    func tokens(perMinute: Int?, at now: Duration) -> RateBucket.Standing? {
        state.withLock {
            $0.rates.standings(requestsPerMinute: nil, tokensPerMinute: perMinute, at: now).tokens
        }
    }
}
