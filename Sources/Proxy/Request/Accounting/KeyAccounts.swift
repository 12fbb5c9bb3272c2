import ProxyAccounting
import Synchronization

/// The accounts of all keys, by their names. They outlive reloads: a key that stays goes on from where it was.
final class KeyAccounts: Sendable {
    private struct State {
        var accounts: [String: KeyAccount] = [:]
        var calendar = BudgetCalendar.utc
    }
    private let state = Mutex(State())
    /// What keys share with other instances; nil where there are none.
    let shared: SharedMeters?

    init(shared: SharedMeters? = nil) { self.shared = shared }

    /// The account of a key, which is made when it is not there. Names come from the configuration and from administrators alone.
    func account(of name: String) -> KeyAccount {
        state.withLock { state in
            if let known = state.accounts[name] { return known }
            let account = KeyAccount(name: name, calendar: state.calendar, shared: shared)
            state.accounts[name] = account
            return account
        }
    }

    /// Goes on from what the ledger has, before the first request.
    func restore(_ counters: [LedgerCounter], soft: (_ key: String) -> [Budget], at seconds: Int64) {
        for (name, counters) in Dictionary(grouping: counters, by: \.key) {
            account(of: name).restore(counters, soft: soft(name), at: seconds)
        }
    }

    func follow(_ calendar: BudgetCalendar) {
        state.withLock { state in
            state.calendar = calendar
            for account in state.accounts.values { account.follow(calendar) }
        }
    }
}
