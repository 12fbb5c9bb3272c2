import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct BalancingTests {
    private func picks(_ strategy: some BalancingStrategy, _ weights: [Int], inFlight: [Int]? = nil, count: Int)
        -> [Int]
    {
        var strategy = strategy
        let loads = UpstreamLoads(weights: weights, inFlight: inFlight ?? weights.map { _ in 0 })
        return (0..<count).map { _ in strategy.pick(among: UpstreamSet(first: weights.count), loads) }
    }

    private func loads(_ weights: [Int]) -> UpstreamLoads {
        UpstreamLoads(weights: weights, inFlight: weights.map { _ in 0 })
    }

    @Test func `Round robin takes each in turn`() {
        #expect(picks(RoundRobin(), [1, 9, 1], count: 7) == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test func `Round robin goes on behind who is missing`() {
        var strategy = RoundRobin()
        let loads = loads([1, 1, 1, 1])
        let all = UpstreamSet(first: 4)
        #expect(strategy.pick(among: all, loads) == 0)
        #expect(strategy.pick(among: UpstreamSet([0, 2, 3]), loads) == 2)
        #expect(strategy.pick(among: all, loads) == 3)
        #expect(strategy.pick(among: all, loads) == 0)
    }

    @Test func `Weighted is smooth as nginx is`() {
        // a b a c b a, as documented.
        #expect(picks(SmoothWeighted(), [3, 2, 1], count: 12) == [0, 1, 0, 2, 1, 0, 0, 1, 0, 2, 1, 0])
        #expect(picks(SmoothWeighted(), [5, 1, 1], count: 7) == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Weighted gives the shares over one round`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let weights = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 1...40, using: &random) }
        let found = picks(SmoothWeighted(), weights, count: weights.reduce(0, +))
        #expect(weights.indices.map { index in found.count { $0 == index } } == weights)
    }

    @Test func `Weighted has no flood for who comes back`() {
        var strategy = SmoothWeighted()
        let loads = loads([1, 1])
        for _ in 0..<100 { _ = strategy.pick(among: UpstreamSet([0]), loads) }
        let next = (0..<10).map { _ in strategy.pick(among: UpstreamSet(first: 2), loads) }
        #expect(next.count { $0 == 1 } == 5)
    }

    @Test func `Least connections takes the idlest and ties in turn`() {
        #expect(picks(LeastConnections(), [1, 1, 1], inFlight: [2, 0, 1], count: 2) == [1, 1])
        #expect(picks(LeastConnections(), [1, 1, 1, 1], inFlight: [2, 1, 1, 1], count: 4) == [1, 2, 3, 1])
    }

    @Test func `Every name of the settings has its strategy`() {
        for name in RoutingSettings.Strategy.allCases {
            var strategy = name.make()
            #expect(strategy.pick(among: UpstreamSet(first: 1), loads([1])) == 0)
        }
        #expect(RoutingSettings.Strategy.weighted.make() is SmoothWeighted)
        #expect(RoutingSettings.Strategy.leastConnections.make() is LeastConnections)
        #expect(RoutingSettings.Strategy.roundRobin.make() is RoundRobin)
    }
}
