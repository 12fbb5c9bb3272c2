import ProxyCluster

/// What an instance shares: the permits of its upstreams.
protocol SharedLimits: Sendable {
    /// What it wants of each, at this moment.
    func wants() async -> [PermitWant]
    /// Takes what it has been given.
    ///
    /// - Parameter lease: of an object by its name.
    func take(_ lease: @Sendable (String) -> PermitLease) async
}
