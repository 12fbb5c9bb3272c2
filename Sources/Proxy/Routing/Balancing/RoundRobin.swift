/// Each in turn: the next in the order of the configuration after the one that was picked last.
package struct RoundRobin: BalancingStrategy {
    private var last = -1

    package init() {}

    package mutating func pick(among candidates: [Candidate]) -> Int {
        let pick = candidates.firstIndex { $0.index > last } ?? 0
        last = candidates[pick].index
        return pick
    }
}
