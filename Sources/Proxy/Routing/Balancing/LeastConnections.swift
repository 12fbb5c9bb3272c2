/// The one with the fewest requests in flight; ties in turn.
package struct LeastConnections: BalancingStrategy {
    private var turn = RoundRobin()

    package init() {}

    package mutating func pick(among candidates: [Candidate]) -> Int {
        let fewest = candidates.reduce(Int.max) { min($0, $1.inFlight) }
        let idle = candidates.filter { $0.inFlight == fewest }
        let index = idle[turn.pick(among: idle)].index
        return candidates.firstIndex { $0.index == index } ?? 0
    }
}
