import ProxyAccounting

/// Whose key a request has shown: its name, and what it may do. It belongs to one reading of the configuration.
///
/// A class, so that a request holds a reference and no copy.
final class Caller: Sendable {
    /// What logs and statistics show.
    let name: String
    let limits: KeyLimits
    /// Something of them depends on what requests use.
    let isCounted: Bool
    /// Those of `limits`.
    let models: ModelFilter
    /// What it has used.
    let account: KeyAccount

    init(
        name: String, limits: KeyLimits = KeyLimits(), models: ModelFilter = ModelFilter(), account: KeyAccount? = nil
    ) {
        self.account = account ?? KeyAccount(name: name)
        self.name = name
        self.limits = limits
        isCounted = limits.areCounted
        self.models = models
    }

    /// It may use some models only.
    var isBoundToModels: Bool { !models.patterns.isEmpty }

    /// Whether it may use a model of any of these names.
    func mayUse(anyOf names: some Sequence<String>) -> Bool { !isBoundToModels || names.contains { models.admits($0) } }

    /// - Parameter seconds: since 1970.
    func hasExpired(at seconds: Int64) -> Bool { limits.expires.map { $0 <= seconds } ?? false }
}
