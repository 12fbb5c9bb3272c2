/// Each in turn: the next in the order of the configuration after the one that was picked last.
package struct RoundRobin: BalancingStrategy {
    private var last = -1

    package init() {}

    package mutating func pick(among candidates: UpstreamSet, _ loads: UpstreamLoads) -> Int {
        last = candidates.first(from: last + 1) ?? candidates.first(from: 0) ?? 0
        return last
    }
}
