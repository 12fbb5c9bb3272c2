import ProxyAccounting
import Synchronization

/// The prices of the configuration of the moment.
final class Prices: Sendable {
    let table: PriceTable

    private struct Name: Hashable {
        let asked: String?
        let id: String
        let provider: String?
    }
    /// What has been found: the table folds cases, and clients ask for the same again and again.
    private let known = Mutex<[Name: Price?]>([:])
    /// Names come from clients.
    private static let most = 4096

    init(_ table: PriceTable = PriceTable()) { self.table = table }

    /// - Parameters:
    ///   - asked: the name that the client used; nil when another model answered in its place.
    ///   - id: the model's id at its upstream.
    ///   - provider: nil for an OCI account.
    func price(asked: String?, id: String, provider: String?) -> Price? {
        let name = Name(asked: asked, id: id, provider: provider)
        if let found = known.withLock({ $0[name] }) { return found }
        let price = table.price(asked: asked, id: id, provider: provider)?.price
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[name] = .some(price)
        }
        return price
    }
}
