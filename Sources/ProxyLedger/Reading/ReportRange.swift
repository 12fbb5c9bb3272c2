import ProxyAccounting

/// Where the answer to a question about a range comes from: whole days (in UTC) from the roll-ups, the rest from rows.
///
/// A part of a day whose rows are gone is answered by its whole day, which is all that is left of it.
struct ReportRange: Equatable {
    /// Days since 1970.
    var days: Range<Int64>
    /// Microseconds; at most two.
    var rows: [Range<Int64>] = []

    /// - Parameters:
    ///   - from, to: seconds since 1970; from the first, before the second.
    ///   - now: seconds. What lies behind it has not happened, so today counts as whole.
    ///   - horizon: microseconds; rows before it are gone, or soon.
    init(from: Int64, to: Int64, now: Int64, horizon: Int64) {
        let from = RequestCursor.microseconds(from)
        let to = RequestCursor.microseconds(to)
        let day = Timestamp.day * 1_000_000
        guard from < to else {
            days = 0..<0
            return
        }
        var first = from / day
        var end = (to + day - 1) / day
        let isPast = to / 1_000_000 <= now
        let cutsEnd = to % day != 0 && isPast
        let isOneDay = end - first == 1
        if from % day != 0, from >= horizon {
            rows.append(from..<(isOneDay ? to : (first + 1) * day))
            first += 1
            if isOneDay { end = first }
        }
        if cutsEnd, end > first, (end - 1) * day >= horizon {
            rows.append((end - 1) * day..<to)
            end -= 1
        }
        days = first..<max(first, end)
    }
}
