/// The periods that are under way, looked up in the calendar only when one has ended. One clock serves all keys.
package struct BudgetClock: Equatable, Sendable {
    package let calendar: BudgetCalendar
    private var periods: PerWindow<BudgetPeriod>

    package init(_ calendar: BudgetCalendar) {
        self.calendar = calendar
        // Empty ones, which hold no moment.
        periods = PerWindow { $0 == .total ? BudgetPeriod(start: 0, end: .max) : BudgetPeriod(start: 0, end: 0) }
    }

    /// The period that holds a moment; mostly the one of the call before.
    ///
    /// - Parameter seconds: since 1970.
    package mutating func period(of window: BudgetWindow, containing seconds: Int64) -> BudgetPeriod {
        let known = periods[window]
        if known.start <= seconds, seconds < known.end || window == .total { return known }
        let found = calendar.period(of: window, containing: seconds)
        periods[window] = found
        return found
    }
}
