import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct LatencyHistogramTests {
    @Test func `Is zero when empty`() {
        let histogram = LatencyHistogram()
        #expect(histogram.count == 0 && histogram.percentile(0.99) == 0 && histogram.count(below: 3) == 0)
    }

    /// Against the sorted values themselves.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Percentiles are within an eighth`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var histogram = LatencyHistogram()
        var values: [Double] = []
        for _ in 0..<Int.random(in: 1...3000, using: &random) {
            // From a tenth of a millisecond to an hour.
            let microseconds = Int(
                Double(100) * Double(1 << Int.random(in: 0...24, using: &random))
                    * Double.random(in: 1..<2, using: &random))
            histogram.record(.microseconds(microseconds))
            values.append(Double(microseconds) / 1000)
        }
        values.sort()
        for share in [0.5, 0.9, 0.99, 1] {
            let exact = values[max(0, Int((Double(values.count) * share).rounded(.up)) - 1)]
            #expect(abs(histogram.percentile(share) - exact) <= max(exact / 8, 0.125))
        }
        for exponent in 0...19 {
            #expect(histogram.count(below: exponent) == values.count { $0 < Double(1 << exponent) })
        }
    }

    @Test func `Takes what cannot be`() {
        var histogram = LatencyHistogram()
        for duration in [Duration.seconds(-5), .zero, .seconds(Int64.max / 2)] { histogram.record(duration) }
        #expect(histogram.count == 3 && histogram.percentile(0.1) < 0.125)
    }
}
