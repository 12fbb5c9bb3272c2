/// How long a budget lasts before it begins anew, by the calendar.
package enum BudgetWindow: String, Sendable, CaseIterable {
    case hour, day, week, month
    /// It never begins anew.
    case total
}

/// So much in each period of a window.
package struct Budget: Equatable, Hashable, Sendable {
    package enum Amount: Equatable, Hashable, Sendable {
        case money(NanoDollars)
        case tokens(Int64)
    }
    package var amount: Amount
    package var window: BudgetWindow

    package init(_ amount: Amount, per window: BudgetWindow) {
        self.amount = amount
        self.window = window
    }
}

/// From the first second of a period to the first behind it, since 1970. What never ends has `Int64.max`.
package struct BudgetPeriod: Equatable, Hashable, Sendable {
    package var start: Int64
    package var end: Int64

    package init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }
}
