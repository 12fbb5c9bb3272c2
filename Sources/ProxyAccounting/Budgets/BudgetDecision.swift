/// What `BudgetState.reserve` says.
package enum BudgetDecision: Equatable, Sendable {
    case admitted(BudgetAdmission)
    case refused(BudgetRefusal)
}

/// A request was let in.
package struct BudgetAdmission: Equatable, Sendable {
    package let reservation: BudgetReservation
    /// Soft budgets that are spent: for a header.
    package let exceeded: [BudgetStanding]
    /// Those of them that were not told of in this period: each is worth one alert.
    package let crossed: [BudgetStanding]
}

/// What was reserved for a request, to be settled once.
package struct BudgetReservation: Equatable, Sendable {
    struct Part: Equatable, Sendable {
        /// The start of the period in which the request arrived.
        var period: Int64
        var tokens: Int64
        var cost: NanoDollars
    }
    var parts = PerWindow.all(Part(period: .min, tokens: 0, cost: 0))
}

/// How far a budget is spent.
package struct BudgetStanding: Equatable, Sendable {
    package let budget: Budget
    /// Nano-dollars or tokens, as the budget's amount.
    package let spent: Int64
    /// By requests that run.
    package let reserved: Int64
    /// Seconds since 1970; nil when it never begins anew.
    package let resetsAt: Int64?

    package var limit: Int64 { budget.limit }
    /// What is neither spent nor reserved; 0 or more.
    package var remaining: Int64 {
        let left = max(limit - min(spent, limit), 0)
        return left - min(reserved, left)
    }
    /// The limit is spent.
    package var isExceeded: Bool { spent >= limit }
}

/// A request was not let in.
package struct BudgetRefusal: Equatable, Sendable {
    /// Of the budget that refuses. When several do, of the one that does so for longest.
    package let standing: BudgetStanding
    /// What the request would have reserved of it.
    package let needed: Int64
    /// It is reservations of running requests that stand in the way: there may be room before the period ends.
    package let waitsForRunning: Bool

    package init(standing: BudgetStanding, needed: Int64, waitsForRunning: Bool) {
        self.standing = standing
        self.needed = needed
        self.waitsForRunning = waitsForRunning
    }

    func lasts(shorterThan other: BudgetRefusal) -> Bool {
        if waitsForRunning != other.waitsForRunning { return waitsForRunning }
        return standing.resetsAt ?? .max < other.standing.resetsAt ?? .max
    }
}
