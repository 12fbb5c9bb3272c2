import ProxyAccounting
import Synchronization

/// Managed keys that have changed here and that other instances do not know of yet; and when each was changed last.
final class KeyNews: Sendable {
    private struct State {
        var changed: [String: Int64] = [:]
        var untold: [(key: ManagedKey, at: Int64?)] = []
    }

    private let state = Mutex(State())
    private let bell: ExchangeBell

    init(_ bell: ExchangeBell) { self.bell = bell }

    /// - Parameter moment: at which it has been changed, milliseconds since 1970; nil: now, by the engine's clock.
    func add(_ key: ManagedKey, changedAt moment: Int64? = nil) {
        state.withLock { $0.untold.append((key, moment)) }
        bell.ring()
    }

    /// - Parameter now: the engine's time.
    func take(at now: Int64) -> [(key: ManagedKey, changed: Int64)] {
        state.withLock { state in
            defer { state.untold = [] }
            return state.untold.map { key, moment in
                let moment = moment ?? now
                state.changed[key.name] = moment
                return (key, moment)
            }
        }
    }

    /// When a key was changed last, here or elsewhere.
    subscript(name: String) -> Int64? {
        get { state.withLock { $0.changed[name] } }
        set { state.withLock { $0.changed[name] = newValue } }
    }
}
