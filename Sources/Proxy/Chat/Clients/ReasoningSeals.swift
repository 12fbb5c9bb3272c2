/// The seal of each client key, by its name.
struct ReasoningSeals: Sendable {
    private let seals: [String: ReasoningSeal]
    /// For who asks without a key: this process alone knows it again.
    private let own: ReasoningSeal

    init(_ keys: [ClientKey]) {
        seals = Dictionary(
            keys.map { ($0.name, ReasoningSeal(secret: Array($0.value.reveal().utf8))) },
            uniquingKeysWith: { first, _ in first })
        own = ReasoningSeal(secret: (0..<32).map { _ in UInt8.random(in: 0...255) })
    }

    subscript(name: String?) -> ReasoningSeal { name.flatMap { seals[$0] } ?? own }
}
