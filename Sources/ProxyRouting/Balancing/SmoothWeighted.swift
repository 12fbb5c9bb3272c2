/// Shares as the weights say, spread evenly, as nginx does it: weights 3, 2, 1 give a b a c b a.
///
/// At each pick every candidate gains its weight, the richest is picked and pays what all have gained together. Who is no
/// candidate at the moment neither gains nor pays, so nobody saves up for a flood on its return.
package struct SmoothWeighted: BalancingStrategy {
    private var credits: [Int] = []

    package init() {}

    package mutating func pick(among candidates: UpstreamSet, _ loads: UpstreamLoads) -> Int {
        if credits.count < loads.weights.count {
            credits += Array(repeating: 0, count: loads.weights.count - credits.count)
        }
        var best = -1
        var total = 0
        var index = candidates.first(from: 0)
        while let candidate = index {
            credits[candidate] += loads.weights[candidate]
            total += loads.weights[candidate]
            if best < 0 || credits[candidate] > credits[best] { best = candidate }
            index = candidates.first(from: candidate + 1)
        }
        credits[best] -= total
        return best
    }
}
