/// Durations in buckets whose width grows with them: percentiles within an eighth, in 200 integers, for any number of values.
///
/// Eight buckets an octave over steps of 1/8 ms: below one millisecond they are 1/8 ms wide, then each octave from 1 ms on is
/// cut into eight. Powers of two of a millisecond are edges, so the buckets add up exactly to those of a Prometheus histogram.
package struct LatencyHistogram: Sendable {
    private static let perOctave = 8
    /// Octaves above the first millisecond: up to 2^22 ms, more than an hour.
    private static let octaves = 22

    private var counts: [Int] = []
    package private(set) var count = 0
    package private(set) var sum = Duration.zero

    package init() {}

    package mutating func record(_ duration: Duration) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.perOctave * (Self.octaves + 1)) }
        counts[Self.bucket(of: duration)] += 1
        count += 1
        sum += max(duration, .zero)
    }

    /// The value below which a share of all values lies (0...1), in milliseconds; 0 as long as there is none.
    package func percentile(_ share: Double) -> Double {
        guard count > 0 else { return 0 }
        let rank = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= rank { return (Self.lowerEdge(of: index) + Self.lowerEdge(of: index + 1)) / 2 }
        }
        return Self.lowerEdge(of: counts.count)
    }

    /// How many values are less than 2^`exponent` milliseconds.
    package func count(below exponent: Int) -> Int {
        counts.prefix(Self.perOctave * (exponent + 1)).reduce(0, +)
    }

    private static func bucket(of duration: Duration) -> Int {
        // In eighths of a millisecond.
        let eighths = duration.floatingMilliseconds * 8
        guard eighths > 0 else { return 0 }
        guard eighths < Double(1 << 32) else { return perOctave * (octaves + 1) - 1 }
        let value = UInt64(eighths)
        guard value >= UInt64(perOctave) else { return Int(value) }
        let octave = UInt64.bitWidth - 1 - value.leadingZeroBitCount - 3
        let step = Int(value >> octave) - perOctave
        return min(perOctave * (octave + 1) + step, perOctave * (octaves + 1) - 1)
    }

    /// In milliseconds.
    private static func lowerEdge(of bucket: Int) -> Double {
        guard bucket >= perOctave else { return Double(bucket) / 8 }
        let octave = bucket / perOctave - 1
        return Double((perOctave + bucket % perOctave) << octave) / 8
    }
}
