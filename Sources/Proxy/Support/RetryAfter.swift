/// The `retry-after` header: seconds, or a date (RFC 9110, 10.2.3).
enum RetryAfter {
    /// Longer waits than this are cut: nobody means them.
    static let longest = 86_400

    /// Whole seconds from now on, a fraction rounded up, a past date as 0; nil when the header is neither number nor date.
    ///
    /// - Parameter now: seconds since 1970.
    static func seconds(_ header: String, now: Int64) -> Int? {
        if let number = Double(String(header[...].trimmingBlanks())) {
            guard number.isFinite, number >= 0 else { return nil }
            return Int(min(number, Double(longest)).rounded(.up))
        }
        guard let instant = HTTPDate.parse(header, now: now) else { return nil }
        return Int(min(max(instant - now, 0), Int64(longest)))
    }
}
