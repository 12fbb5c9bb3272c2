import Synchronization

/// Addresses that have been taken apart before. A process calls a handful of URLs, each of them thousands of times a minute.
final class KnownAddresses: Sendable {
    /// More than a configuration has; URLs with something of a request in them must not pile up.
    static let limit = 256

    private let known = Mutex<[String: RequestAddress]>([:])

    /// - Throws: as `RequestAddress.init`.
    func address(of url: String) throws(TransportError) -> RequestAddress {
        if let address = known.withLock({ $0[url] }) { return address }
        let address = try RequestAddress(url)
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
            known[url] = address
        }
        return address
    }

    var count: Int { known.withLock { $0.count } }
}
