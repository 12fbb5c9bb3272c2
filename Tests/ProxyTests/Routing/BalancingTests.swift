import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct BalancingTests {
    private func candidates(_ weights: [Int], inFlight: [Int]? = nil) -> [Candidate] {
        weights.enumerated().map { Candidate(index: $0, weight: $1, inFlight: inFlight?[$0] ?? 0) }
    }

    private func picks(_ strategy: some BalancingStrategy, among candidates: [Candidate], count: Int) -> [Int] {
        var strategy = strategy
        return (0..<count).map { _ in candidates[strategy.pick(among: candidates)].index }
    }

    @Test func roundRobinTakesEachInTurn() {
        #expect(picks(RoundRobin(), among: candidates([1, 9, 1]), count: 7) == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test func roundRobinGoesOnBehindWhoIsMissing() {
        var strategy = RoundRobin()
        let all = candidates([1, 1, 1, 1])
        #expect(all[strategy.pick(among: all)].index == 0)
        let without1 = [all[0], all[2], all[3]]
        #expect(without1[strategy.pick(among: without1)].index == 2)
        #expect(all[strategy.pick(among: all)].index == 3)
        #expect(all[strategy.pick(among: all)].index == 0)
    }

    @Test func weightedIsSmoothAsNginxIs() {
        // a b a c b a, as the contract writes it.
        #expect(picks(SmoothWeighted(), among: candidates([3, 2, 1]), count: 12) == [0, 1, 0, 2, 1, 0, 0, 1, 0, 2, 1, 0])
        #expect(picks(SmoothWeighted(), among: candidates([5, 1, 1]), count: 7) == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func weightedGivesTheSharesOverOneRound(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let weights = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 1...40, using: &random) }
        let found = picks(SmoothWeighted(), among: candidates(weights), count: weights.reduce(0, +))
        #expect(weights.indices.map { index in found.count { $0 == index } } == weights)
    }

    @Test func weightedHasNoFloodForWhoComesBack() {
        var strategy = SmoothWeighted()
        let all = candidates([1, 1])
        for _ in 0..<100 { _ = strategy.pick(among: [all[0]]) }
        let next = (0..<10).map { _ in all[strategy.pick(among: all)].index }
        #expect(next.count { $0 == 1 } == 5)
    }

    @Test func leastConnectionsTakesTheIdlestAndTiesInTurn() {
        #expect(picks(LeastConnections(), among: candidates([1, 1, 1], inFlight: [2, 0, 1]), count: 2) == [1, 1])
        #expect(picks(LeastConnections(), among: candidates([1, 1, 1, 1], inFlight: [2, 1, 1, 1]), count: 4) == [1, 2, 3, 1])
    }

    @Test func everyNameOfTheSettingsHasItsStrategy() {
        for name in RoutingSettings.Strategy.allCases {
            var strategy = name.make()
            #expect(strategy.pick(among: candidates([1])) == 0)
        }
        #expect(RoutingSettings.Strategy.weighted.make() is SmoothWeighted)
        #expect(RoutingSettings.Strategy.leastConnections.make() is LeastConnections)
        #expect(RoutingSettings.Strategy.roundRobin.make() is RoundRobin)
    }
}
