/// Names of keys in the engine. All have one hash tag, so that in a cluster of engines one server has them all.
///
/// The version is part of them: instances that count differently do not share counts. What that means for an update is in
/// docs/decisions/0036-cluster-leases.md.
package struct ExchangeKeys: Equatable, Sendable {
    package static let version = 1

    private let prefix: String

    /// - Parameter cluster: its name: 1 to 64 letters, digits, `-`, `_` and `.`. Nil is returned for another one, which could break out of
    ///   the hash tag.
    package init?(cluster: String) {
        guard (1...64).contains(cluster.utf8.count),
            cluster.utf8.allSatisfy({
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return nil }
        prefix = "{ociai:\(cluster)}:\(Self.version):"
    }

    /// Those that the script declares, in its order.
    package var declared: [String] { ["leases", "news", "order", "expiry"].map { prefix + $0 } }
    package var meterPrefix: String { prefix + "w:" }
    /// Of what clients have had kept.
    package var documentPrefix: String { prefix + "d:" }
    /// What to subscribe to.
    package var channel: String { prefix + "news" }
}
