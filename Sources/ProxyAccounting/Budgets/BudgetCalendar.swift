/// When the periods of budgets begin and end, by the clock of one time zone.
///
/// Finding a period takes a fraction of a microsecond; `BudgetClock` remembers it until it ends.
///
/// * An hour begins whenever the zone's clock shows a full hour. So it lasts 3,600 seconds, also when clocks are
///   changed by whole hours: then the hour that comes twice is two periods. Where clocks are changed by a part of an
///   hour (Lord Howe), the one that is under way lasts until the next full hour on the clock, for less than two hours.
/// * A day begins when the clock first reaches its midnight, or passes it where clocks are put forward at midnight. It
///   lasts 23 to 25 hours when clocks are changed. A date that a zone has skipped (Apia in 2011) has no period.
/// * A week begins with Monday, a month with its 1st.
/// * The total lasts from 0 to `Int64.max`.
package struct BudgetCalendar: Sendable, Equatable {
    /// As it was given: an IANA name, `UTC` for one.
    package let name: String
    private let zone: ZoneRules

    private static let hour: Int64 = 3_600
    private static let day: Int64 = 86_400
    /// No zone is further from UTC than that.
    private static let farthest: Int64 = 26 * hour
    /// No zone changes its clocks twice within that time.
    private static let stride: Int64 = 6 * hour
    /// The years 0 to 9999: what is before or behind belongs to the first or last period.
    private static let years: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// Reads the zone from the system's time zone database.
    ///
    /// - Parameter name: an IANA name as `Europe/Berlin`; or `UTC`, which needs no database. Nil is returned for a name
    ///   that is not known.
    package init?(timeZone name: String) {
        guard let zone = ZoneDatabase.rules(of: name) else { return nil }
        self.init(name: name, zone)
    }

    /// The default, which needs no database.
    package static let utc = BudgetCalendar(name: "UTC", .utc)

    init(name: String, _ zone: ZoneRules) {
        self.name = name
        self.zone = zone
    }

    /// The period that holds a moment.
    ///
    /// - Parameter seconds: since 1970.
    package func period(of window: BudgetWindow, containing seconds: Int64) -> BudgetPeriod {
        let moment = min(max(seconds, Self.years.lowerBound), Self.years.upperBound)
        switch window {
        case .total: return BudgetPeriod(start: 0, end: .max)
        case .hour: return hour(containing: moment)
        case .day:
            let day = day(of: moment)
            return BudgetPeriod(start: start(ofDay: day), end: start(ofDay: day + 1))
        case .week:
            let day = day(of: moment)
            let monday = day - (GregorianDay.weekday(of: day) + 6) % 7
            return BudgetPeriod(start: start(ofDay: monday), end: start(ofDay: monday + 7))
        case .month:
            let (year, month) = GregorianDay.month(of: day(of: moment))
            let next = month == 12 ? (year + 1, 1) : (year, month + 1)
            return BudgetPeriod(
                start: start(ofDay: GregorianDay.first(ofMonth: month, in: year)),
                end: start(ofDay: GregorianDay.first(ofMonth: next.1, in: next.0)))
        }
    }

    // MARK: Hours

    private func hour(containing moment: Int64) -> BudgetPeriod {
        let offset = offset(at: moment)
        let into = Self.remainder(moment + offset, Self.hour)
        var start = moment - into
        if self.offset(at: start) != offset {
            // Clocks were changed within it, by a part of an hour or so that it began before.
            let before = change(after: start, notAfter: moment) - 1
            start = before - Self.remainder(before + self.offset(at: before), Self.hour)
        }
        var end = moment - into + Self.hour
        if self.offset(at: end) != offset {
            let changed = change(after: moment, notAfter: end)
            let into = Self.remainder(changed + self.offset(at: changed), Self.hour)
            end = into == 0 ? changed : changed - into + Self.hour
        }
        return BudgetPeriod(start: start, end: end)
    }

    // MARK: Days, counted from 1970-01-01

    /// The latest date that the zone's clock has shown at `moment`. It may have been put back behind midnight since.
    private func day(of moment: Int64) -> Int64 {
        let shown = moment + offset(at: moment)
        let day = (shown - Self.remainder(shown, Self.day)) / Self.day
        return start(ofDay: day + 1) <= moment ? day + 1 : day
    }

    /// The first moment at which the zone's clock shows midnight of that day, or something later.
    private func start(ofDay day: Int64) -> Int64 {
        let midnight = day * Self.day
        var moment = midnight - Self.farthest
        while true {
            let offset = offset(at: moment)
            let due = midnight - offset
            var next = moment
            while next < due, self.offset(at: next) == offset { next = min(next + Self.stride, due) }
            if self.offset(at: next) == offset { return max(moment, due) }
            moment = change(after: max(moment, next - Self.stride), notAfter: next)
            if moment + self.offset(at: moment) >= midnight { return moment }
        }
    }

    // MARK: The zone

    private func offset(at moment: Int64) -> Int64 { zone.offset(at: moment) }

    /// The first moment with another offset than `start` has. There must be one, and it must hold at `end`.
    private func change(after start: Int64, notAfter end: Int64) -> Int64 {
        let offset = offset(at: start)
        var (same, other) = (start, end)
        while other - same > 1 {
            let middle = same + (other - same) / 2
            if self.offset(at: middle) == offset { same = middle } else { other = middle }
        }
        return other
    }

    private static func remainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        GregorianDay.remainder(value, divisor)
    }
}
