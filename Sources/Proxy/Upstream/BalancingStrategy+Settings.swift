package import ProxyRouting

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
