import NIOCore
import Synchronization

/// The common listener, and one per account when that was asked for.
final class Listeners: Sendable {
    private struct State {
        var common: Listener?
        var accounts: [String: Listener] = [:]
    }

    private let state = Mutex(State())

    func set(common: Listener, accounts: [String: Listener]) {
        state.withLock { $0 = State(common: common, accounts: accounts) }
    }

    /// Nil when the account has no listener of its own.
    func listener(of account: String) -> Listener? { state.withLock { $0.accounts[account] } }

    var common: Listener? { state.withLock { $0.common } }

    var all: [Listener] { state.withLock { state in [state.common].compactMap(\.self) + state.accounts.values } }

    /// Ports by account id.
    var ports: [String: Int] { state.withLock { $0.accounts.mapValues(\.port) } }
}
