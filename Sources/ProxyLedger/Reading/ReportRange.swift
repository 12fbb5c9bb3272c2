import ProxyAccounting

/// Where the answer to a question about a range comes from: whole days and hours (in UTC) from the roll-ups, the rest from rows.
///
/// A part of an hour whose rows are gone is answered by its whole hour, and a part of a day whose hours are gone by its whole day: that is all that is
/// left of them.
struct ReportRange: Equatable {
    /// Since 1970.
    var days: Range<Int64> = 0..<0
    /// Since 1970; at most two.
    var hours: [Range<Int64>] = []
    /// Microseconds; at most two.
    var rows: [Range<Int64>] = []

    private static let hour: Int64 = 3_600_000_000
    private static let day = hour * SumBook.hoursADay

    /// From when on something is there, in microseconds.
    struct Horizon {
        var rows: Int64
        var hours: Int64
    }

    /// - Parameters:
    ///   - from, to: seconds since 1970; from the first, before the second.
    ///   - now: seconds. What lies behind it has not happened, so today counts as whole.
    init(from: Int64, to: Int64, now: Int64, horizon: Horizon) {
        let from = RequestCursor.microseconds(from)
        var to = RequestCursor.microseconds(to)
        guard from < to else { return }
        if to / 1_000_000 > now { to = (to + Self.day - 1) / Self.day * Self.day }
        let (days, parts) = Self.split(from..<to, by: Self.day, from: horizon.hours)
        self.days = days
        for part in parts {
            let (hours, rest) = Self.split(part, by: Self.hour, from: horizon.rows)
            if !hours.isEmpty { self.hours.append(hours) }
            rows += rest
        }
    }

    /// The whole units of a range, and the parts at its ends. Those before the horizon count as whole.
    private static func split(
        _ range: Range<Int64>, by unit: Int64, from horizon: Int64
    ) -> (whole: Range<Int64>, parts: [Range<Int64>]) {
        var first = range.lowerBound / unit
        var end = (range.upperBound + unit - 1) / unit
        let cutsBeginning = range.lowerBound % unit != 0 && range.lowerBound >= horizon
        let cutsEnd = range.upperBound % unit != 0 && max((end - 1) * unit, range.lowerBound) >= horizon
        if end - first == 1 { return cutsBeginning || cutsEnd ? (first..<first, [range]) : (first..<end, []) }
        var parts: [Range<Int64>] = []
        if cutsBeginning {
            first += 1
            parts.append(range.lowerBound..<first * unit)
        }
        if cutsEnd {
            end -= 1
            parts.append(end * unit..<range.upperBound)
        }
        return (first..<end, parts)
    }
}
