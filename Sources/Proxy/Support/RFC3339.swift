/// Moments as RFC 3339 writes them: `2025-08-11T08:12:13.123Z`, any fraction, any offset.
enum RFC3339 {
    /// Seconds since 1970; nil when the text is no such moment.
    static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61,
            let offset = offset(bytes[19...])
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        // There is no 30th of February.
        guard CivilDate(daysSince1970: Int64(days)).day == day else { return nil }
        return days * 86_400 + hour * 3600 + minute * 60 + second - offset
    }

    /// `2025-08-11T08:12:13Z`.
    static func format(_ seconds: Int64) -> String {
        let (day, time) = (
            seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400, ((seconds % 86_400) + 86_400) % 86_400
        )
        let date = CivilDate(daysSince1970: day)
        func two(_ value: some BinaryInteger) -> String { (value < 10 ? "0" : "") + String(value) }
        return
            "\(String(repeating: "0", count: max(0, 4 - String(date.year).utf8.count)))\(date.year)-\(two(date.month))-\(two(date.day))T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))Z"
    }

    /// Skips a fraction and reads `Z` or `+hh:mm`, in seconds.
    private static func offset(_ rest: ArraySlice<UInt8>) -> Int? {
        var rest = rest
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { (0x30...0x39).contains($0) } }
        guard let sign = rest.first else { return nil }
        if sign | 0x20 == UInt8(ascii: "z") { return rest.count == 1 ? 0 : nil }
        let digits = rest.dropFirst()
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 5,
            digits[digits.startIndex + 2] == UInt8(ascii: ":"), let hours = number(digits.prefix(2)),
            let minutes = number(digits.suffix(2))
        else { return nil }
        return (sign == UInt8(ascii: "+") ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}

extension CivilDate {
    /// The inverse of `init(daysSince1970:)`.
    var daysSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear >= 0 ? shiftedYear / 400 : (shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
