import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct UpstreamSetTests {
    /// Against the standard library's sets, below and above one word.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `Is a set`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func some() -> Set<Int> {
            Set(
                (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    Int.random(in: 0..<[5, 64, 200].randomElement(using: &random)!, using: &random)
                })
        }
        let (one, other) = (some(), some())
        let set = UpstreamSet(one)
        #expect(Array(set) == one.sorted())
        #expect(set.isEmpty == one.isEmpty)
        #expect((0..<260).allSatisfy { set.contains($0) == one.contains($0) })
        let rest = set.subtracting(UpstreamSet(other))
        #expect(Array(rest) == one.subtracting(other).sorted())
        #expect(
            rest == UpstreamSet(one.subtracting(other))
                && rest.hashValue == UpstreamSet(one.subtracting(other)).hashValue)
        #expect(Array(UpstreamSet(first: one.count)) == Array(0..<one.count))
    }
}
