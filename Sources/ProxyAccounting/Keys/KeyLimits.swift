/// What a key may do.
package enum KeyRole: String, Sendable, Comparable, CaseIterable {
    /// The model endpoints, and what it has spent itself.
    case client
    /// Also every page of statistics, metrics and the ledger.
    case viewer
    /// Also what changes something.
    case admin

    private var rank: Int { self == .client ? 0 : self == .viewer ? 1 : 2 }
    package static func < (left: KeyRole, right: KeyRole) -> Bool { left.rank < right.rank }
}

/// What a key may use, of the configuration file or managed.
package struct KeyLimits: Equatable, Sendable {
    package var role = KeyRole.client
    /// Seconds since 1970, from which on it is refused.
    package var expires: Int64?
    /// Regular expressions; a model must match one of them. Empty: all models.
    package var models: [String] = []
    /// 1 or more; nil is what holds for all keys.
    package var requestsPerMinute: Int?
    package var tokensPerMinute: Int?
    package var maxConcurrency: Int?
    /// What is refused beyond.
    package var hardBudgets: [Budget] = []
    /// What is told of beyond.
    package var softBudgets: [Budget] = []

    package init() {}

    /// Something of them depends on what requests use.
    package var areCounted: Bool { tokensPerMinute != nil || !hardBudgets.isEmpty || !softBudgets.isEmpty }
}

/// A key that was made by the proxy. The key itself is shown once and kept nowhere.
package struct ManagedKey: Equatable, Sendable {
    package var name: String
    /// SHA-256 of the key's bytes.
    package var digest: [UInt8]
    /// The beginning of the key, for people to know it by.
    package var prefix: String
    /// Seconds since 1970.
    package var created: Int64
    package var revoked: Int64?
    package var limits: KeyLimits
    /// Digests of keys that it has replaced, each with the moment until which it works on.
    package var former: [Former] = []

    package struct Former: Equatable, Sendable {
        package var digest: [UInt8]
        package var until: Int64

        package init(digest: [UInt8], until: Int64) {
            self.digest = digest
            self.until = until
        }
    }

    package init(name: String, digest: [UInt8], prefix: String, created: Int64, limits: KeyLimits) {
        self.name = name
        self.digest = digest
        self.prefix = prefix
        self.created = created
        self.limits = limits
    }
}
