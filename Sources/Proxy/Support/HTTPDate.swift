import Synchronization

/// Dates as HTTP writes them (RFC 9110, 5.6.7), by calendar arithmetic: a signature needs one per request.
enum HTTPDate {
    private static let weekdays: [StaticString] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Thu, 05 Jan 2034 21:31:40 GMT`.
    ///
    /// - Parameter seconds: since 1970; what lies outside the years 0 to 9999 becomes their first or last second.
    static func format(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let day = seconds.quotient(of: 86_400)
        let second = Int(seconds - day * 86_400)
        let date = CivilDate(daysSince1970: day)
        return unsafe String(unsafeUninitializedCapacity: 29) { buffer in
            var writer = unsafe FixedWriter(buffer: buffer)
            writer.text(weekdays[Int(((day % 7) + 7) % 7)])
            writer.text(", ")
            writer.twoDigits(date.day)
            writer.text(" ")
            writer.text(months[date.month - 1])
            writer.text(" ")
            writer.twoDigits(date.year / 100)
            writer.twoDigits(date.year % 100)
            writer.text(" ")
            writer.twoDigits(second / 3600)
            writer.text(":")
            writer.twoDigits(second / 60 % 60)
            writer.text(":")
            writer.twoDigits(second % 60)
            writer.text(" GMT")
            return writer.count
        }
    }

    private static let latest = Mutex((seconds: Int64.min, text: ""))

    /// The same, for a second that many ask for one after the other: the present one.
    static func ofNow(_ seconds: Int64) -> String {
        if let text = latest.withLock({ $0.seconds == seconds ? $0.text : nil }) { return text }
        let text = format(seconds)
        latest.withLock { $0 = (seconds, text) }
        return text
    }

    /// Writes no byte beyond its buffer.
    @safe private struct FixedWriter {
        let buffer: UnsafeMutableBufferPointer<UInt8>
        var count = 0

        mutating func text(_ text: StaticString) {
            for byte in text.utf8 { append(byte) }
        }

        mutating func twoDigits(_ number: Int) {
            append(UInt8(truncatingIfNeeded: 0x30 + number / 10 % 10))
            append(UInt8(truncatingIfNeeded: 0x30 + number % 10))
        }

        private mutating func append(_ byte: UInt8) {
            unsafe precondition(count < buffer.count)
            unsafe buffer[count] = byte
            count += 1
        }
    }
}

/// A day of the Gregorian calendar.
struct CivilDate: Equatable {
    var year: Int
    /// 1...12.
    var month: Int
    /// 1...31.
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Counts from 1 March of year 0 in eras of 400 years, so that leap days come last.
    init(daysSince1970: Int64) {
        let days = daysSince1970 + 719_468
        let era = days.quotient(of: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    /// Division that rounds down, before 1970 too.
    fileprivate func quotient(of divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
