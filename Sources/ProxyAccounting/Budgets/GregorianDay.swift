/// Days of the Gregorian calendar, counted from 1970-01-01. Worked out in eras of 400 years that begin with March.
enum GregorianDay {
    /// - Parameter month: 1...12.
    static func first(ofMonth month: Int64, in year: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let yearOfEra = remainder(year, 400)
        let era = (year - yearOfEra) / 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func month(of day: Int64) -> (year: Int64, month: Int64) {
        let shifted = day + 719_468
        let dayOfEra = remainder(shifted, 146_097)
        let era = (shifted - dayOfEra) / 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month)
    }

    /// From 0, a Sunday, to 6.
    static func weekday(of day: Int64) -> Int64 { remainder(day + 4, 7) }

    static func isLeap(_ year: Int64) -> Bool {
        remainder(year, 4) == 0 && (remainder(year, 100) != 0 || remainder(year, 400) == 0)
    }

    /// Never negative.
    static func remainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
