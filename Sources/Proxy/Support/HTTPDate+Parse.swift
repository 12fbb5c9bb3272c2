extension HTTPDate {
    /// Seconds since 1970 of a date as HTTP headers carry it: the form that `format` writes, and the two obsolete ones
    /// that a recipient must take (RFC 9110, 5.6.7), `Thursday, 05-Jan-34 21:31:40 GMT` and `Thu Jan  5 21:31:40 2034`.
    ///
    /// Letter case, further blanks, a one-digit day, the name of the weekday and `UTC` for `GMT` do not matter.
    ///
    /// - Parameter now: seconds since 1970. A year of two digits that would lie more than 50 years ahead is a past one.
    /// - Returns: nil when the text is no such date, or names a day or a time that does not exist.
    static func parse(_ text: String, now: Int64) -> Int64? {
        // The longest real date has 37 characters; a header may have megabytes.
        guard text.utf8.count <= 64 else { return nil }
        var fields = text.utf8.split {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-")
        }
        guard let weekday = fields.first, weekday.allSatisfy(isLetter) else { return nil }
        fields.removeFirst()
        if fields.count == 4, month(fields[0]) != nil {  // Jan 5 21:31:40 2034
            fields.swapAt(0, 1)
            fields.swapAt(2, 3)
        } else {  // 05 Jan 2034 21:31:40 GMT
            guard fields.count == 5, isUniversal(fields[4]) else { return nil }
        }
        guard let day = number(fields[0], digits: 1...2), let month = month(fields[1]), let time = time(fields[3])
        else { return nil }
        if let year = number(fields[2], digits: 4...4) { return seconds(year, month, day, time) }
        guard let short = number(fields[2], digits: 2...2) else { return nil }
        return seconds(shortYear: short, month, day, time, now: now)
    }

    /// The latest year with these last two digits whose date is at most 50 years ahead.
    private static func seconds(shortYear: Int, _ month: Int, _ day: Int, _ time: Int, now: Int64) -> Int64? {
        let today = CivilDate(daysSince1970: min(max(now, 0), 253_402_300_799) / 86_400)
        let limit = CivilDate(year: today.year + 50, month: today.month, day: today.day)
        var year = limit.year / 100 * 100 + shortYear
        if (year, month, day) > (limit.year, limit.month, limit.day) { year -= 100 }
        return seconds(year, month, day, time)
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
        let date = CivilDate(year: year, month: month, day: day)
        let days = Int64(date.daysSince1970)
        // 31 February comes back as 3 March.
        guard CivilDate(daysSince1970: days) == date else { return nil }
        return days * 86_400 + Int64(time)
    }

    /// Seconds since midnight; a leap second counts as the next minute's first.
    private static func time(_ text: Substring.UTF8View) -> Int? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = number(parts[0], digits: 1...2),
            let minute = number(parts[1], digits: 2...2),
            let second = number(parts[2], digits: 2...2), hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring.UTF8View, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    private static func month(_ name: Substring.UTF8View) -> Int? {
        months.firstIndex { same(name, $0) }.map { $0 + 1 }
    }

    private static func isUniversal(_ zone: Substring.UTF8View) -> Bool {
        same(zone, "GMT") || same(zone, "UTC") || same(zone, "UT")
    }

    private static func same(_ text: Substring.UTF8View, _ name: StaticString) -> Bool {
        text.count == name.utf8.count && zip(text, name.utf8).allSatisfy { isLetter($0) && $0 | 0x20 == $1 | 0x20 }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
