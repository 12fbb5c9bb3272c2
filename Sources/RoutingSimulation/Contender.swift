import Proxy
package import ProxyRouting

/// A strategy that is to be judged.
package struct Contender: Sendable {
    package let name: String
    /// A fresh one for each run.
    package let make: @Sendable () -> any BalancingStrategy

    package init(_ name: String, _ make: @escaping @Sendable () -> any BalancingStrategy) {
        self.name = name
        self.make = make
    }

    /// All that a configuration can name.
    package static let all = RoutingSettings.Strategy.allCases.map { strategy in
        Contender(strategy.rawValue) { strategy.make() }
    }
}
