import Synchronization

/// The seal of each client key, by its name.
struct ReasoningSeals: Sendable {
    private let seals: [String: ReasoningSeal]
    private let others: UnnamedSeals

    /// - Parameter others: of those whose keys are not in the configuration.
    init(_ keys: [ClientKey], others: UnnamedSeals = UnnamedSeals()) {
        self.others = others
        seals = Dictionary(
            keys.map { ($0.name, ReasoningSeal(secret: Array($0.value.reveal().utf8))) },
            uniquingKeysWith: { first, _ in first })
    }

    subscript(name: String?) -> ReasoningSeal { name.flatMap { seals[$0] } ?? others[name ?? ""] }
}

/// Seals of those whose keys are not in the configuration: who asks without a key, and managed keys, which are kept nowhere. Whoever has the secret knows
/// them again, whatever is reloaded: this process, and with the installation's secret the next.
final class UnnamedSeals: Sendable {
    private struct State {
        var secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        /// By names of keys, which administrators give.
        var known: [String: ReasoningSeal] = [:]
    }
    private let state = Mutex(State())

    /// Seals with the installation's secret. Before the first request.
    func take(_ secret: [UInt8]) { state.withLock { $0 = State(secret: secret) } }

    fileprivate subscript(name: String) -> ReasoningSeal {
        state.withLock { state in
            if let seal = state.known[name] { return seal }
            let seal = ReasoningSeal(secret: state.secret + Array(name.utf8))
            state.known[name] = seal
            return seal
        }
    }
}
