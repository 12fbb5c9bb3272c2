/// The one with the fewest requests in flight; ties in turn.
package struct LeastConnections: BalancingStrategy {
    private var last = -1

    package init() {}

    package mutating func pick(among candidates: UpstreamSet, _ loads: UpstreamLoads) -> Int {
        var best = (index: -1, inFlight: Int.max)
        var index = candidates.first(from: 0)
        while let candidate = index {
            let inFlight = loads.inFlight[candidate]
            // Among equals the first behind the last pick, or else the first of all.
            if inFlight < best.inFlight || inFlight == best.inFlight && best.index <= last && candidate > last {
                best = (candidate, inFlight)
            }
            index = candidates.first(from: candidate + 1)
        }
        last = best.index
        return best.index
    }
}
