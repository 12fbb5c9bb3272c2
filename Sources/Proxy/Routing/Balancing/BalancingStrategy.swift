/// How one is picked among the upstreams that could take a request now. A new strategy conforms, gets a name in the settings
/// and a line in `make`; the router does not change.
package protocol BalancingStrategy: Sendable {
    /// - Parameter candidates: at least one, in the order of the configuration; each has a free permit.
    /// - Returns: the place of the pick in `candidates`.
    mutating func pick(among candidates: [Candidate]) -> Int
}

/// An upstream that could take a request now.
package struct Candidate: Equatable, Sendable {
    /// Its place in the router's list.
    package var index: Int
    /// 1...1000.
    package var weight: Int
    /// Requests in flight.
    package var inFlight: Int

    package init(index: Int, weight: Int, inFlight: Int) {
        self.index = index
        self.weight = weight
        self.inFlight = inFlight
    }
}

extension RoutingSettings.Strategy {
    /// A fresh strategy of that name.
    package func make() -> any BalancingStrategy {
        switch self {
        case .roundRobin: RoundRobin()
        case .weighted: SmoothWeighted()
        case .leastConnections: LeastConnections()
        }
    }
}
