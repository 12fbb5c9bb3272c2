import Synchronization

/// The seal of each client key, by its name.
struct ReasoningSeals: Sendable {
    private let seals: [String: ReasoningSeal]
    private let others = OtherSeals.shared

    init(_ keys: [ClientKey]) {
        seals = Dictionary(
            keys.map { ($0.name, ReasoningSeal(secret: Array($0.value.reveal().utf8))) },
            uniquingKeysWith: { first, _ in first })
    }

    subscript(name: String?) -> ReasoningSeal { name.flatMap { seals[$0] } ?? others[name ?? ""] }
}

/// Seals of those whose keys are not in the configuration: who asks without a key, and managed keys, which are kept nowhere. This process alone knows them
/// again, whatever is reloaded.
private final class OtherSeals: Sendable {
    static let shared = OtherSeals()

    private let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
    /// By names of keys, which administrators give.
    private let known = Mutex<[String: ReasoningSeal]>([:])

    subscript(name: String) -> ReasoningSeal {
        known.withLock { known in
            if let seal = known[name] { return seal }
            let seal = ReasoningSeal(secret: secret + Array(name.utf8))
            known[name] = seal
            return seal
        }
    }
}
