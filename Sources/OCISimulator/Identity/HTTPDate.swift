/// Dates of HTTP: `Thu, 05 Jan 2034 21:31:40 GMT` (RFC 7231, IMF-fixdate) and seconds since 1970.
package enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil when the text is not exactly of that form, weekday included.
    package static func parse(_ text: String) -> Int? {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 6, text.utf8.count == 29, fields[5] == "GMT",
            let day = Int(fields[1]), let month = months.firstIndex(of: String(fields[2])), let year = Int(fields[3])
        else { return nil }
        let clock = fields[4].split(separator: ":", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        let seconds = days(year: year, month: month + 1, day: day) * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        // Writing it again refuses impossible days, wrong weekdays and missing zeros in one go.
        return format(seconds) == text ? seconds : nil
    }

    package static func format(_ seconds: Int) -> String {
        let parts = civil(seconds)
        let weekday = weekdays[((parts.days + 4) % 7 + 7) % 7]
        return "\(weekday), \(two(parts.day)) \(months[parts.month - 1]) \(parts.year) "
            + "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)) GMT"
    }

    /// `2025-08-11T08:12:13.123Z`.
    package static func rfc3339(milliseconds: Int) -> String {
        let seconds = Int((Double(milliseconds) / 1000).rounded(.down))
        let parts = civil(seconds)
        let fraction = String(1000 + milliseconds - seconds * 1000).dropFirst()
        return "\(parts.year)-\(two(parts.month))-\(two(parts.day))T"
            + "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)).\(fraction)Z"
    }

    /// Reads `2025-05-21T00:00:00Z`, whole seconds in UTC. Nil for any other form.
    package static func seconds(rfc3339 text: String) -> Int? {
        let fields = text.split { "-T:Z".contains($0) }.compactMap { Int($0) }
        guard fields.count == 6, text.utf8.count == 20, (1...12).contains(fields[1]) else { return nil }
        let seconds =
            days(year: fields[0], month: fields[1], day: fields[2]) * 86400 + fields[3] * 3600 + fields[4] * 60
            + fields[5]
        // Writing it again refuses impossible days and wrong separators in one go.
        return rfc3339(milliseconds: seconds * 1000) == text.dropLast() + ".000Z" ? seconds : nil
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private struct Civil {
        let days, year, month, day, hour, minute, second: Int
    }

    // Howard Hinnant's `days_from_civil` and its inverse, for years from 1970 on.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }

    private static func civil(_ seconds: Int) -> Civil {
        let days = seconds / 86400
        let ofDay = seconds % 86400
        let shifted = days + 719468
        let era = shifted / 146097
        let dayOfEra = shifted - era * 146097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return Civil(
            days: days, year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1,
            hour: ofDay / 3600, minute: ofDay % 3600 / 60, second: ofDay % 60)
    }
}
