import ProxyAccounting
import Synchronization

/// When keys were last used before this process, as the ledger knows it. It is asked once, when somebody wants to see it.
final class EarlierUses: Sendable {
    private let ledger: (any Ledger)?
    private let known = Mutex<[String: Int64]?>(nil)

    /// - Parameter ledger: nil knows of nothing.
    init(_ ledger: (any Ledger)?) { self.ledger = ledger }

    /// In seconds since 1970, to the hour. While the ledger cannot be read, none.
    var all: [String: Int64] {
        get async {
            if let known = known.withLock({ $0 }) { return known }
            guard let read = try? await ledger?.lastUses() else { return [:] }
            known.withLock { $0 = read }
            return read
        }
    }
}
