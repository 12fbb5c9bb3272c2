import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RollingCountsTests {
    /// Against a list of all that was ever counted.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Sums the last seconds`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let length = Int.random(in: 1...60, using: &random)
        var counts = RollingCounts(seconds: length)
        var all: [(second: Int64, events: Int, marked: Int)] = []
        var now = Duration.milliseconds(Int.random(in: 0...5000, using: &random))
        for _ in 0..<300 {
            now += .milliseconds(Int.random(in: 0...2500, using: &random))
            let events = Int.random(in: 0...3, using: &random)
            let marked = Int.random(in: 0...events, using: &random)
            counts.add(events: events, marked: marked, at: now)
            all.append((now.components.seconds, events, marked))
            now += .milliseconds(Int.random(in: 0...900, using: &random))
            let second = now.components.seconds
            let recent = all.filter { $0.second > second - Int64(length) }
            #expect(
                counts.totals(at: now) == (recent.reduce(0) { $0 + $1.events }, recent.reduce(0) { $0 + $1.marked }))
            let current = all.filter { $0.second == second }
            #expect(
                counts.current(at: now) == (current.reduce(0) { $0 + $1.events }, current.reduce(0) { $0 + $1.marked }))
        }
        counts.removeAll()
        #expect(counts.totals(at: now) == (0, 0))
    }
}
