/// Which trace a span belongs to: 16 bytes, not all of them zero.
package struct TraceID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// Nil when all of it is zero, which the W3C forbids.
    package init?(high: UInt64, low: UInt64) {
        guard high | low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    /// A new one. All of its bits are random, as the W3C's flag `random` says.
    package init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        // A ratio of traces is sampled by this half, so it is the one that is never zero.
        low = generator.nextButZero()
    }
}

/// Which span of a trace it is: 8 bytes, not all of them zero.
package struct SpanID: Hashable, Sendable {
    package let value: UInt64

    /// Nil for zero, which the W3C forbids.
    package init?(_ value: UInt64) {
        guard value != 0 else { return nil }
        self.value = value
    }

    package init(using generator: inout some RandomNumberGenerator) { value = generator.nextButZero() }
}

extension TraceID: CustomStringConvertible {
    /// 32 lower-case digits.
    package var description: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        HexDigits.append(high, to: &digits)
        HexDigits.append(low, to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }
}

extension SpanID: CustomStringConvertible {
    /// 16 lower-case digits.
    package var description: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(16)
        HexDigits.append(value, to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }
}

extension RandomNumberGenerator {
    /// A generator that gives nothing but zeros still ends.
    fileprivate mutating func nextButZero() -> UInt64 { max(next(), 1) }
}
