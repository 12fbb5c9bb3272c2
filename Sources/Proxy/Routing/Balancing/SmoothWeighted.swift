/// Shares as the weights say, spread evenly, as nginx does it: weights 3, 2, 1 give a b a c b a.
///
/// At each pick every candidate gains its weight, the richest is picked and pays what all have gained together. Who is no
/// candidate at the moment neither gains nor pays, so nobody saves up for a flood on its return.
package struct SmoothWeighted: BalancingStrategy {
    private var credits: [Int] = []

    package init() {}

    package mutating func pick(among candidates: [Candidate]) -> Int {
        var best = 0
        var total = 0
        for (place, candidate) in candidates.enumerated() {
            while credits.count <= candidate.index { credits.append(0) }
            credits[candidate.index] += candidate.weight
            total += candidate.weight
            if credits[candidate.index] > credits[candidates[best].index] { best = place }
        }
        credits[candidates[best].index] -= total
        return best
    }
}
