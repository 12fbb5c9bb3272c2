import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct RecentDurationsTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func nineOfTenTookNoLonger(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var recent = RecentDurations()
        var all: [Int] = []
        for second in 0..<Int.random(in: 0...100, using: &random) {
            let value = Int.random(in: 0...5000, using: &random)
            recent.add(.milliseconds(value), at: .seconds(second))
            all.append(value)
            let last = all.suffix(RecentDurations.capacity).sorted()
            let expected = last.count < RecentDurations.fewest ? nil : last[Int((Double(last.count) * 0.9).rounded(.up)) - 1]
            #expect(recent.percentile90(at: .seconds(second)) == expected.map { .milliseconds($0) })
        }
    }

    @Test func whatIsOlderThanSomeMinutesIsForgotten() {
        var recent = RecentDurations()
        for _ in 0..<9 { recent.add(.seconds(9), at: .zero) }
        #expect(recent.percentile90(at: .seconds(300)) == .seconds(9) && recent.percentile90(at: .seconds(301)) == nil)
        for _ in 0..<3 { recent.add(.seconds(1), at: .seconds(400)) }
        #expect(recent.percentile90(at: .seconds(400)) == .seconds(1))
    }
}
