/// What the process wants of its proxy while it runs.
package struct ProcessOrders: Sendable {
    /// Each element begins the drain.
    package let stops: AsyncStream<Void>
    /// Each element has the configuration read again.
    package let reloads: AsyncStream<Void>

    package init(stops: AsyncStream<Void>, reloads: AsyncStream<Void>) {
        self.stops = stops
        self.reloads = reloads
    }
}
