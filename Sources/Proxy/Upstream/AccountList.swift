/// An account that is never asked: the operator has switched it off, or it cannot be used as it is configured.
package struct IdleAccount: Sendable, Equatable {
    var id: String
    var region: String?
    var endpoint: String?
    var weight: Int
    var maxConcurrency: Int
    /// Why it cannot be used; nil when it is switched off.
    var problem: String?

    /// A person would expect it to work.
    var isEnabled: Bool { problem != nil }

    /// - Parameter problem: nil when the operator has switched it off.
    init(_ settings: AccountSettings, problem: String?) {
        id = settings.id
        region = settings.region
        endpoint = ServiceURL(settings.endpoint).url
        weight = settings.weight
        maxConcurrency = settings.maxConcurrency
        self.problem = problem
    }

    /// An account of which nothing is known but its name.
    init(id: String, problem: String) {
        self.id = id
        weight = 1
        maxConcurrency = 0
        self.problem = problem
    }
}

/// Every account of the configuration in its order, those that the router knows and those that are only listed.
struct AccountList: Sendable {
    enum Entry: Sendable {
        /// By its place in the router's list, in which those of older configurations stand too.
        case serving(Int)
        case idle(IdleAccount)
    }

    let entries: [Entry]

    /// The places of those that the router knows.
    var places: [Int] { entries.compactMap { if case .serving(let place) = $0 { place } else { nil } } }

    /// Those that cannot be used although they should be.
    var broken: [IdleAccount] {
        entries.compactMap { if case .idle(let account) = $0, account.isEnabled { account } else { nil } }
    }
}
