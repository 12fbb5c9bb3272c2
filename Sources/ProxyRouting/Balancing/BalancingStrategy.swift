/// How one is picked among the upstreams that could take a request now. A new strategy conforms, gets a name in the settings
/// and a line in `make`; the router does not change.
package protocol BalancingStrategy: Sendable {
    /// - Parameters:
    ///   - candidates: at least one; each has a free permit.
    ///   - loads: of all upstreams, by their index.
    /// - Returns: the index of the pick.
    mutating func pick(among candidates: UpstreamSet, _ loads: UpstreamLoads) -> Int
}

/// What strategies weigh: one array for each figure, so that a look at a hundred upstreams is a walk through memory.
package struct UpstreamLoads: Sendable {
    /// 1...1000.
    package var weights: [Int] = []
    /// Requests in flight.
    package var inFlight: [Int] = []

    package init() {}

    package init(weights: [Int], inFlight: [Int]) {
        self.weights = weights
        self.inFlight = inFlight
    }
}
