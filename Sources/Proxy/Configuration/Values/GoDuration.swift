/// Durations as Go writes them: `30s`, `1m30s`, `1.5h`, `500ms`; a bare number is seconds.
package enum GoDuration {
    /// Nil when `text` is no duration, is negative, or is longer than a hundred years.
    package static func parse(_ text: String) -> Duration? {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return nil }
        var index = 0
        var total: Int128 = 0
        repeat {
            guard let number = DecimalNumber(bytes, at: &index) else { return nil }
            let unitStart = index
            while index < bytes.count, !DecimalNumber.mayContain(bytes[index]) { index += 1 }
            let unit = String(decoding: bytes[unitStart..<index], as: UTF8.self)
            let isBareNumber = unit.isEmpty && unitStart == bytes.count && total == 0
            guard let scale = isBareNumber ? attosecondsPerSecond : attoseconds[unit],
                let part = number.scaled(by: scale)
            else { return nil }
            // A bare number may only stand alone, not after `1m`.
            if unit.isEmpty, bytes.contains(where: { !DecimalNumber.mayContain($0) }) { return nil }
            total += part
            guard total <= longest else { return nil }
        } while index < bytes.count
        return Duration(attoseconds: total)
    }

    /// The shortest Go form: `1m30s`, `500ms`, `0s`. Parts finer than a nanosecond are dropped.
    package static func format(_ duration: Duration) -> String {
        var rest = duration.attoseconds
        guard rest > 0 else { return "0s" }
        var text = ""
        for (unit, scale) in units where unit != "µs" {
            // Hours and minutes stand beside smaller parts; below a second one unit is enough.
            let isFraction = scale < attosecondsPerSecond
            if isFraction, rest % scale != 0, unit != "ns" { continue }
            let count = rest / scale
            guard count > 0 else { continue }
            text += "\(count)\(unit)"
            rest -= count * scale
        }
        return text.isEmpty ? "0s" : text
    }

    private static let attosecondsPerSecond: Int128 = 1_000_000_000_000_000_000
    private static let longest = attosecondsPerSecond * 3_155_760_000

    /// From the largest to the smallest.
    private static let units: [(String, Int128)] = [
        ("h", attosecondsPerSecond * 3600), ("m", attosecondsPerSecond * 60), ("s", attosecondsPerSecond),
        ("ms", attosecondsPerSecond / 1000), ("us", attosecondsPerSecond / 1_000_000),
        ("µs", attosecondsPerSecond / 1_000_000), ("ns", attosecondsPerSecond / 1_000_000_000),
    ]

    /// Both characters that look like a micro sign are in use: U+00B5 and U+03BC.
    private static let attoseconds: [String: Int128] = Dictionary(
        units + [("μs", attosecondsPerSecond / 1_000_000)], uniquingKeysWith: { first, _ in first })
}

/// A non-negative decimal number of at most 12 digits before the point and 9 after it, kept exact; further ones are
/// dropped.
struct DecimalNumber {
    private let digits: Int128
    private let fractionDigits: Int

    /// Reads digits with at most one point from `index` on and moves it past them; nil when none are there.
    init?(_ bytes: [UInt8], at index: inout Int) {
        var digits: Int128 = 0
        var wholeDigits = 0
        var fractionDigits = 0
        var sawPoint = false
        while index < bytes.count, Self.mayContain(bytes[index]) {
            if bytes[index] == UInt8(ascii: ".") {
                guard !sawPoint else { return nil }
                sawPoint = true
            } else {
                if sawPoint { fractionDigits += 1 } else { wholeDigits += 1 }
                guard wholeDigits <= 12 else { return nil }
                // Finer digits are read past: they cannot matter, and would overflow.
                if fractionDigits <= 9 { digits = digits * 10 + Int128(bytes[index] - 0x30) }
            }
            index += 1
        }
        guard wholeDigits + fractionDigits > 0 else { return nil }
        self.digits = digits
        self.fractionDigits = min(fractionDigits, 9)
    }

    /// The number times `scale`, rounded down; nil when it does not fit.
    func scaled(by scale: Int128) -> Int128? {
        // The whole part and the fraction apart, so that the largest scale cannot overflow needlessly.
        var power: Int128 = 1
        for _ in 0..<fractionDigits { power *= 10 }
        let (whole, fraction) = digits.quotientAndRemainder(dividingBy: power)
        let (wholePart, overflow) = whole.multipliedReportingOverflow(by: scale)
        let (fractionPart, fractionOverflow) = fraction.multipliedReportingOverflow(by: scale)
        guard !overflow, !fractionOverflow else { return nil }
        let (sum, sumOverflow) = wholePart.addingReportingOverflow(fractionPart / power)
        return sumOverflow ? nil : sum
    }

    static func mayContain(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || (0x30...0x39).contains(byte) }
}
