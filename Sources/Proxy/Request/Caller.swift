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
    /// An administrator has made it; else it stands in the configuration file.
    let isManaged: Bool

    init(
        name: String, limits: KeyLimits = KeyLimits(), models: ModelFilter = ModelFilter(), account: KeyAccount? = nil,
        isManaged: Bool = false
    ) {
        self.isManaged = isManaged
        self.account = account ?? KeyAccount(name: name)
        self.name = name
        self.limits = limits
        isCounted = limits.areCounted
        self.models = models
    }

    /// A sentence that says where the operator changes a limit of the key itself.
    ///
    /// - Parameters:
    ///   - setting: its name in the configuration file.
    ///   - option: the same of `ociai-proxy key create`.
    func mend(_ setting: String, _ option: String) -> String {
        isManaged
            ? "The limits of a managed key stay as they are: the operator makes another one (ociai-proxy key create NAME \(option), or POST /admin/keys)."
            : "The operator sets \(setting) of the key in the config file."
    }

    /// It may use some models only.
    var isBoundToModels: Bool { !models.patterns.isEmpty }

    /// Whether it may use a model of any of these names.
    func mayUse(anyOf names: some Sequence<String>) -> Bool { !isBoundToModels || names.contains { models.admits($0) } }

    /// - Parameter seconds: since 1970.
    func hasExpired(at seconds: Int64) -> Bool { limits.expires.map { $0 <= seconds } ?? false }
}
