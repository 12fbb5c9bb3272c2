/// Moments in words, in UTC, without a calendar's library.
enum Timestamp {
    static let day: Int64 = 86_400

    /// `2026-03-01T12:00:00.000Z`
    static func iso(microseconds: Int64) -> String {
        let (seconds, rest) = microseconds.flooredDivision(by: 1_000_000)
        let (days, second) = seconds.flooredDivision(by: day)
        return
            "\(date(days))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)).\(padded(rest / 1000, 3))Z"
    }

    /// `20260301T120000Z`, for names of files.
    static func compact(_ seconds: Int64) -> String {
        let (days, second) = seconds.flooredDivision(by: day)
        let date = date(days).filter { $0 != "-" }
        return "\(date)T\(two(second / 3600))\(two(second / 60 % 60))\(two(second % 60))Z"
    }

    /// `2026-03-01`, of the days since 1970 (the civil calendar by Howard Hinnant's algorithm).
    static func date(_ days: Int64) -> String {
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(two(month))-\(two(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))"
    }

    private static func two(_ number: Int64) -> String { padded(number, 2) }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
    }
}

extension Int64 {
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Adds, and stays at the end of the range where there is no more.
    mutating func addSaturating(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? (other < 0 ? .min : .max) : sum
    }

    /// What may go into the books: moments until the year 2255, and numbers of which a thousand still fit in 64 bits when they are summed up.
    var booked: Int64 { Swift.min(Swift.max(self, 0), Self.largestBooked) }

    static let largestBooked: Int64 = 1 << 53
}

extension Duration {
    /// Seconds as a text for people: `5`, or `0.03`.
    var inSeconds: String {
        components.attoseconds == 0 ? "\(components.seconds)" : "\(self / .seconds(1))"
    }
}
