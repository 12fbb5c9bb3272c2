import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RecentDurationsTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `Nine of ten took no longer`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var recent = RecentDurations()
        var all: [Int] = []
        for second in 0..<Int.random(in: 0...100, using: &random) {
            let value = Int.random(in: 0...5000, using: &random)
            recent.add(.milliseconds(value), at: .seconds(second))
            all.append(value)
            let last = all.suffix(RecentDurations.capacity).sorted()
            func expected(_ share: Double) -> Duration? {
                last.count < RecentDurations.fewest
                    ? nil : .milliseconds(last[Int((Double(last.count) * share).rounded(.up)) - 1])
            }
            #expect(recent.percentile90(at: .seconds(second)) == expected(0.9))
            #expect(recent.nearlyAll(at: .seconds(second)).map { $0 >= expected(0.95)! } ?? true)
        }
    }

    @Test func `Nearly all leaves room for what scatters`() {
        var (even, uneven) = (RecentDurations(), RecentDurations())
        for number in 0..<32 {
            even.add(.milliseconds(250), at: .zero)
            uneven.add(.milliseconds(number == 9 ? 90_000 : number % 2 == 0 ? 100 : 300), at: .zero)
        }
        #expect(even.nearlyAll(at: .zero) == .milliseconds(250))
        #expect(uneven.percentile90(at: .zero) == .milliseconds(300))
        #expect(uneven.nearlyAll(at: .zero) == .milliseconds(300), "one that took for ever says nothing")
    }

    @Test func `What is older than some minutes is forgotten`() {
        var recent = RecentDurations()
        for _ in 0..<9 { recent.add(.seconds(9), at: .zero) }
        #expect(recent.percentile90(at: .seconds(300)) == .seconds(9) && recent.percentile90(at: .seconds(301)) == nil)
        for _ in 0..<3 { recent.add(.seconds(1), at: .seconds(400)) }
        #expect(recent.percentile90(at: .seconds(400)) == .seconds(1))
    }
}
