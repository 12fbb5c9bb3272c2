/// What one key has spent and reserved in the periods that are under way. It decides, and it reports: there is no
/// second count.
///
/// A request is reserved for before its call and settled after it. It belongs to the periods in which it *arrived*, as
/// in the ledger: when a period has ended before the request did, what it used of that period is dropped, and the new
/// period is not charged.
///
/// A hard budget admits a request when `spent + reserved + worst case <= limit`. The worst case of one request counts
/// as a quarter of the limit at most, so that a huge `max_tokens` does not lock a key out. Nothing is admitted when the
/// limit is spent.
///
/// How far a budget can be overshot: when a request is admitted, spent and reserved together are within the limit. From
/// then on each of the requests that run adds what it uses beyond its reservation, and nothing else does. So
/// `spent <= limit + sum over the running requests of max(0, used - reserved)`.
///
/// All windows are counted, also those without a budget. So a budget that is added or edited applies to what has been
/// spent in its period already.
package struct BudgetState: Equatable, Sendable {
    /// Tokens or money.
    struct Account: Equatable, Sendable {
        var spent: Int64 = 0
        var reserved: Int64 = 0
    }

    struct Count: Equatable, Sendable {
        /// Empty before the first use, so that it has ended.
        var period = BudgetPeriod(start: .min, end: .min)
        /// Where the period began when it was begun. Reservations know it by that, also when a clock is put right
        /// meanwhile.
        var began = Int64.min
        var requests: Int64 = 0
        var tokens = Account()
        var money = Account()

        mutating func charge(
            _ requests: Int64, tokens: Int64, cost: NanoDollars, settling part: BudgetReservation.Part? = nil
        ) {
            self.requests.add(requests)
            self.tokens.settle(reserved: part?.tokens ?? 0, used: tokens)
            money.settle(reserved: part?.cost ?? 0, used: cost)
        }

        /// What the budget is about.
        func account(of budget: Budget) -> Account { budget.isMoney ? money : tokens }
    }

    private(set) var counts = PerWindow.all(Count())
    /// The moments that the periods under way have in common.
    package private(set) var common = BudgetPeriod(start: .max, end: .min)
    /// Soft budgets that were told of in their period.
    private var told: [Budget] = []

    package init() {}

    /// Goes on from what the ledger has: adds what was charged in periods that have not ended. Once, before the first
    /// request.
    ///
    /// A counter belongs to a period when it began within it. So a time zone that was changed drops what may be of
    /// another period.
    ///
    /// - Parameters:
    ///   - counters: of this key.
    ///   - soft: those of them that are exceeded count as told of, so that a restart does not repeat the alert.
    ///   - seconds: since 1970.
    package mutating func restore(
        _ counters: [LedgerCounter], soft: [Budget], at seconds: Int64, by clock: inout BudgetClock
    ) {
        turn(to: seconds, by: &clock)
        for counter in counters {
            let period = counts[counter.window].period
            guard counter.periodStart >= period.start, counter.periodStart < period.end else { continue }
            counts[counter.window].requests.add(counter.requests)
            counts[counter.window].tokens.spent.add(counter.tokens)
            counts[counter.window].money.spent.add(counter.cost)
        }
        told = soft.filter { isExceeded($0) }
    }

    // MARK: A request

    /// Reserves for a request, if the hard budgets let it in. What is reserved must be settled once, whatever becomes
    /// of the request.
    ///
    /// - Parameters:
    ///   - tokens: the most that it may use.
    ///   - cost: of them; nil when the price is not known. Then it counts as 0 against budgets of money, which let it
    ///     in until they are spent.
    ///   - hard: the key's budgets as they are now.
    ///   - soft: those that are told of.
    ///   - seconds: since 1970, the request's arrival. When a later one has begun a new period, it is of that period
    ///     too.
    package mutating func reserve(
        tokens: Int64, cost: NanoDollars?, hard: [Budget], soft: [Budget] = [], at seconds: Int64,
        by clock: inout BudgetClock
    ) -> BudgetDecision {
        turn(to: seconds, by: &clock)
        let (tokens, cost) = (max(tokens, 0), max(cost ?? 0, 0))
        var refusal: BudgetRefusal?
        for budget in hard {
            let worst = Self.counted(budget.isMoney ? cost : tokens, against: budget)
            guard let found = refused(by: budget, needing: worst) else { continue }
            if refusal.map({ $0.lasts(shorterThan: found) }) ?? true { refusal = found }
        }
        if let refusal { return .refused(refusal) }

        var reservation = BudgetReservation()
        for window in BudgetWindow.allCases {
            var (tokens, cost) = (tokens, cost)
            for budget in hard where budget.window == window {
                if budget.isMoney {
                    cost = Self.counted(cost, against: budget)
                } else {
                    tokens = Self.counted(tokens, against: budget)
                }
            }
            counts[window].tokens.reserved.add(tokens)
            counts[window].money.reserved.add(cost)
            reservation.parts[window] = BudgetReservation.Part(
                period: counts[window].began, tokens: tokens, cost: cost)
        }
        let exceeded = soft.filter { isExceeded($0) }
        return .admitted(
            BudgetAdmission(
                reservation: reservation, exceeded: exceeded.map { standing(of: $0) }, crossed: tell(of: soft)))
    }

    /// Charges a request with what it has used, and gives its reservation back. Exactly once for each reservation.
    ///
    /// - Parameters:
    ///   - tokens: 0 when it was never sent.
    ///   - cost: 0 when it is not known.
    ///   - soft: those that are told of.
    ///   - seconds: since 1970.
    ///   - isRequest: false for further calls of a request that counts already.
    /// - Returns: soft budgets that are exceeded now and were not told of in this period: each is worth one alert.
    package mutating func settle(
        _ reservation: BudgetReservation, tokens: Int64, cost: NanoDollars, soft: [Budget] = [], at seconds: Int64,
        by clock: inout BudgetClock, isRequest: Bool = true
    ) -> [BudgetStanding] {
        turn(to: seconds, by: &clock)
        for window in BudgetWindow.allCases {
            let part = reservation.parts[window]
            guard part.period == counts[window].began else { continue }
            counts[window].charge(isRequest ? 1 : 0, tokens: tokens, cost: cost, settling: part)
        }
        return tell(of: soft)
    }

    /// Charges a request for which nothing was reserved: it was refused before, or nothing depended on what it uses.
    ///
    /// - Parameters:
    ///   - soft: those that are told of.
    ///   - seconds: since 1970; the request's arrival. A period that began later is not charged.
    /// - Returns: as `settle` does.
    package mutating func charge(
        tokens: Int64, cost: NanoDollars, soft: [Budget] = [], at seconds: Int64, by clock: inout BudgetClock
    ) -> [BudgetStanding] {
        turn(to: seconds, by: &clock)
        for window in BudgetWindow.allCases where seconds >= counts[window].period.start {
            counts[window].charge(1, tokens: tokens, cost: cost)
        }
        return tell(of: soft)
    }

    /// Charges what several requests have used that arrived within `common`, as it has been since. Their key has no soft budgets.
    package mutating func charge(recent requests: Int64, tokens: Int64, cost: NanoDollars) {
        for window in BudgetWindow.allCases { counts[window].charge(requests, tokens: tokens, cost: cost) }
    }

    // MARK: Looking at it

    /// How far budgets are spent at a moment.
    ///
    /// - Parameter seconds: since 1970.
    package mutating func standings(
        of budgets: [Budget], at seconds: Int64, by clock: inout BudgetClock
    ) -> [BudgetStanding] {
        turn(to: seconds, by: &clock)
        return budgets.map { standing(of: $0) }
    }

    /// What was charged in the period that is under way.
    ///
    /// - Parameter seconds: since 1970.
    package mutating func counter(
        of key: String, per window: BudgetWindow, at seconds: Int64, by clock: inout BudgetClock
    ) -> LedgerCounter {
        turn(to: seconds, by: &clock)
        let count = counts[window]
        return LedgerCounter(
            key: key, window: window, periodStart: count.period.start, requests: count.requests,
            tokens: count.tokens.spent, cost: count.money.spent)
    }

    private func standing(of budget: Budget) -> BudgetStanding {
        let count = counts[budget.window]
        let account = count.account(of: budget)
        return BudgetStanding(
            budget: budget, spent: account.spent, reserved: account.reserved,
            resetsAt: budget.window == .total ? nil : count.period.end)
    }

    // MARK: Rules

    /// What a worst case counts as: a quarter of the limit at most, but something.
    package static func counted(_ worst: Int64, against budget: Budget) -> Int64 {
        min(worst, max(budget.limit / 4, 1))
    }

    private func refused(by budget: Budget, needing worst: Int64) -> BudgetRefusal? {
        let account = counts[budget.window].account(of: budget)
        let left = max(budget.limit, 0) - min(account.spent, max(budget.limit, 0))
        if left > 0, worst <= left, account.reserved <= left - worst { return nil }
        return BudgetRefusal(
            standing: standing(of: budget), needed: worst,
            waitsForRunning: left > 0 && worst <= left)
    }

    private func isExceeded(_ budget: Budget) -> Bool {
        counts[budget.window].account(of: budget).spent >= budget.limit
    }

    private mutating func tell(of soft: [Budget]) -> [BudgetStanding] {
        var crossed: [BudgetStanding] = []
        for budget in soft where isExceeded(budget) && !told.contains(budget) {
            told.append(budget)
            crossed.append(standing(of: budget))
        }
        return crossed
    }

    /// Begins the periods that are under way at `seconds`.
    ///
    /// It does not go back for a request that arrived late, nor for a clock that was put back a little. When it was put
    /// back by more, what was counted stays, and counts for the period that is under way now: else a clock that was
    /// wrong once could keep a month from ever ending.
    private mutating func turn(to seconds: Int64, by clock: inout BudgetClock) {
        common = BudgetPeriod(start: .min, end: .max)
        defer {
            for window in BudgetWindow.allCases {
                let period = counts[window].period
                common = BudgetPeriod(start: max(common.start, period.start), end: min(common.end, period.end))
            }
        }
        for window in BudgetWindow.allCases {
            let period = counts[window].period
            if seconds >= period.end {
                if !told.isEmpty { told.removeAll { $0.window == window } }
                let next = clock.period(of: window, containing: seconds)
                counts[window] = Count(period: next, began: next.start)
            } else if seconds < period.start - Self.latest {
                counts[window].period = clock.period(of: window, containing: seconds)
            }
        }
    }

    /// Seconds. No request is reserved for so long after its arrival.
    private static let latest: Int64 = 86_400
}

extension BudgetState.Account {
    fileprivate mutating func settle(reserved part: Int64, used: Int64) {
        reserved = max(reserved - part, 0)
        spent.add(max(used, 0))
    }
}

extension Int64 {
    /// Adds what is not negative; a sum that is too large stays at the largest.
    fileprivate mutating func add(_ value: Int64) {
        let (sum, overflow) = addingReportingOverflow(Swift.max(value, 0))
        self = overflow ? .max : sum
    }
}
