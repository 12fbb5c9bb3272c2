/// When an upstream wants to be asked again, wherever it says so: in a header, in its error's body, or in words.
enum RetryHint {
    /// Bytes of a message that are looked at.
    private static let limit = 4 << 10

    // MARK: Programs

    /// Whole seconds, rounded up, by `retry-after-ms` (OpenAI, Azure) or `retry-after`.
    ///
    /// - Parameters:
    ///   - header: the value of a header field of the answer.
    ///   - now: seconds since 1970.
    static func seconds(_ header: (String) -> String?, now: Int64) -> Int? {
        if let text = header("retry-after-ms"), let wait = Double(String(text[...].trimmingBlanks())), wait.isFinite,
            wait >= 0
        {
            return seconds(wait / 1000)
        }
        return header("retry-after").flatMap { RetryAfter.seconds($0, now: now) }
    }

    /// What an error object says: Google's `RetryInfo` among its `details`, or a member with a number of seconds.
    static func seconds(in error: JSONValue) -> Int? {
        for detail in error.elements(of: "details") {
            guard detail["@type"]?.string?.hasSuffix("google.rpc.RetryInfo") == true,
                let delay = detail["retryDelay"]?.string
            else { continue }
            var text = Array(delay.lowercased().utf8.prefix(32))[...]
            if let wait = duration(&text) { return seconds(wait) }
        }
        for name in ["retry_after", "retry_after_seconds", "resets_in_seconds"] as [StaticString] {
            if let wait = error[name]?.double, wait.isFinite, wait >= 0 { return seconds(wait) }
        }
        return nil
    }

    // MARK: People

    private static let markers = [
        "again in ", "retry in ", "again after ", "retry after ", "please wait ", "wait for ",
    ].map { Array($0.utf8) }

    /// What a sentence says, such as `Please try again in 1m30s` or `retry after 26 seconds`; nil when it names no time.
    static func seconds(inWords message: String) -> Int? {
        let text = Array(message.utf8.prefix(limit)).map {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0
        }
        for start in text.indices where start == 0 || text[start - 1] == 0x20 {
            for marker in markers where text[start...].starts(with: marker) {
                var rest = text[(start + marker.count)...]
                if rest.starts(with: Array("about ".utf8)) { rest.removeFirst(6) }
                if let wait = duration(&rest) { return seconds(wait) }
            }
        }
        return nil
    }

    /// Numbers with units behind one another: `7m12.5s`, `550ms`, `2 minutes and 5 seconds`.
    ///
    /// - Returns: seconds.
    private static func duration(_ text: inout ArraySlice<UInt8>) -> Double? {
        var total: Double?
        while let number = number(&text) {
            while text.first == 0x20 { text.removeFirst() }
            let unit = text.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            guard unit.count <= 12, let factor = units[String(decoding: unit, as: UTF8.self)] else { break }
            text = text.dropFirst(unit.count)
            total = (total ?? 0) + number * factor
            while text.first == 0x20 { text.removeFirst() }
            if text.starts(with: Array("and ".utf8)) { text.removeFirst(4) }
        }
        return total
    }

    private static func number(_ text: inout ArraySlice<UInt8>) -> Double? {
        let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") }
        guard (1...20).contains(digits.count), let number = Double(String(decoding: digits, as: UTF8.self)) else {
            return nil
        }
        text = text.dropFirst(digits.count)
        return number
    }

    private static let units: [String: Double] = [
        "ms": 0.001, "millisecond": 0.001, "milliseconds": 0.001, "s": 1, "sec": 1, "secs": 1, "second": 1,
        "seconds": 1, "m": 60, "min": 60, "mins": 60,
        "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86_400,
        "day": 86_400, "days": 86_400,
    ]

    private static func seconds(_ wait: Double) -> Int { Int(min(wait, Double(RetryAfter.longest)).rounded(.up)) }
}
