import Synchronization

/// The Generative AI API keys that are valid at the moment (OCI wire notes 7): those of the accounts at the start, until
/// a test replaces or revokes them.
package final class APIKeys: Sendable {
    private let accounts: [SimulatedAccount]
    /// By account id.
    private let keys: Mutex<[String: [String]]>

    package init(_ accounts: [SimulatedAccount]) {
        self.accounts = accounts
        keys = Mutex(Self.initial(accounts))
    }

    private static func initial(_ accounts: [SimulatedAccount]) -> [String: [String]] {
        Dictionary(accounts.map { ($0.id, $0.apiKeys) }, uniquingKeysWith: { first, _ in first })
    }

    /// True when the request shows a key in the place of a signature.
    package static func isOffered(by request: SignedRequest) -> Bool {
        request.all("authorization").contains { $0.hasPrefix("Bearer ") }
    }

    /// The account whose key the request shows.
    package func account(of request: SignedRequest) throws(SignatureRefusal) -> SimulatedAccount {
        let headers = request.all("authorization")
        guard headers.count == 1 else { throw .headerRepeated("authorization") }
        let key = String(headers[0].dropFirst("Bearer ".count))
        let found = keys.withLock { keys in
            accounts.first { keys[$0.id]?.contains(key) == true }
        }
        guard let found else { throw .unknownAPIKey }
        return found
    }

    /// From now on these are the account's keys, and no others. An empty list revokes them all.
    package func set(_ new: [String], of account: String) throws(KeyError) {
        guard accounts.contains(where: { $0.id == account }) else {
            throw KeyError(description: "there is no account '\(account)'")
        }
        try Self.check(new)
        keys.withLock { $0[account] = new }
    }

    /// The keys as at the start.
    package func reset() { keys.withLock { $0 = Self.initial(accounts) } }

    /// An account has two keys at most, and a key goes through an HTTP header.
    static func check(_ keys: [String]) throws(KeyError) {
        guard keys.count <= 2 else { throw KeyError(description: "\(keys.count) API keys; an account has two at most") }
        guard keys.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            throw KeyError(description: "an API key is visible ASCII without spaces")
        }
    }
}
