/// When a zone changes its clocks in every year, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct YearlyZoneRule: Sendable, Equatable {
    private enum Day: Equatable {
        /// The `week`th of a weekday in a month; the last one when `week` is 5.
        case weekday(month: Int64, week: Int64, weekday: Int64)
        /// From 1 to 365; the 29th of February is not counted.
        case julian(Int64)
        /// From 0 to 365.
        case ordinal(Int64)
    }

    private struct Change: Equatable {
        var day: Day
        /// Seconds from midnight on the clock that is shown before the change.
        var time: Int64
    }

    private struct Summer: Equatable {
        var offset: Int64
        var start: Change
        var end: Change
    }

    /// Seconds east of UTC.
    private let standard: Int64
    private let summer: Summer?

    init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.takeName(), let west = reader.takeTime() else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else {
            summer = nil
            return
        }
        guard reader.takeName() else { return nil }
        var offset = -west + 3_600
        if reader.rest.first != UInt8(ascii: ",") {
            guard let west = reader.takeTime() else { return nil }
            offset = -west
        }
        guard let start = reader.takeChange(), let end = reader.takeChange(), reader.rest.isEmpty else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    func offset(at moment: Int64) -> Int64 {
        guard let summer else { return standard }
        let shown = moment + standard
        let day = (shown - GregorianDay.remainder(shown, 86_400)) / 86_400
        let year = GregorianDay.month(of: day).year
        var latest = (at: Int64.min, offset: standard)
        for year in year - 1...year + 1 {
            // Where both are at once, summer time has no end.
            for (at, offset) in [
                (Self.moment(of: summer.end, in: year, offset: summer.offset), standard),
                (Self.moment(of: summer.start, in: year, offset: standard), summer.offset),
            ] where at <= moment && at >= latest.at {
                latest = (at, offset)
            }
        }
        return latest.offset
    }

    private static func moment(of change: Change, in year: Int64, offset: Int64) -> Int64 {
        let day: Int64
        switch change.day {
        case .ordinal(let number): day = GregorianDay.first(ofMonth: 1, in: year) + number
        case .julian(let number):
            let leap: Int64 = GregorianDay.isLeap(year) && number >= 60 ? 1 : 0
            day = GregorianDay.first(ofMonth: 1, in: year) + number - 1 + leap
        case .weekday(let month, let week, let weekday):
            let first = GregorianDay.first(ofMonth: month, in: year)
            let next = month == 12 ? (year + 1, 1) : (year, month + 1)
            var found = first + GregorianDay.remainder(weekday - GregorianDay.weekday(of: first), 7) + (week - 1) * 7
            if found >= GregorianDay.first(ofMonth: next.1, in: next.0) { found -= 7 }
            day = found
        }
        return day * 86_400 + change.time - offset
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        /// `CET`, or `<-03>`.
        mutating func takeName() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
            rest = rest[letters.endIndex...]
            return letters.count >= 3
        }

        private mutating func takeNumber(_ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard !digits.isEmpty, digits.count <= 3 else { return nil }
            rest = rest[digits.endIndex...]
            let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
            return range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func takeTime() -> Int64? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard var seconds = takeNumber(0...167).map({ $0 * 3_600 }) else { return nil }
            for unit in [Int64(60), 1] where take(":") {
                guard let value = takeNumber(0...59) else { return nil }
                seconds += value * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// `,M3.5.0/2` and its kin.
        mutating func takeChange() -> Change? {
            guard take(",") else { return nil }
            let day: Day
            if take("M") {
                guard let month = takeNumber(1...12), take("."), let week = takeNumber(1...5), take("."),
                    let weekday = takeNumber(0...6)
                else { return nil }
                day = .weekday(month: month, week: week, weekday: weekday)
            } else if take("J") {
                guard let number = takeNumber(1...365) else { return nil }
                day = .julian(number)
            } else {
                guard let number = takeNumber(0...365) else { return nil }
                day = .ordinal(number)
            }
            guard take("/") else { return Change(day: day, time: 7_200) }
            guard let time = takeTime() else { return nil }
            return Change(day: day, time: time)
        }
    }
}
