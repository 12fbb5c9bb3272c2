/// Who is told of alerts.
enum AlertReceiver: String, CaseIterable, Sendable { case webhook, command }

/// Alerts that wait for one receiver, in order, bounded. A value without I/O.
struct AlertOutbox: Sendable {
    static let capacity = 100

    private(set) var waiting: [RaisedAlert] = []

    /// Puts one behind the others: a new one, or one that could not be delivered yet.
    ///
    /// - Returns: one that has to go for it, when too many wait: of keys first, since clients can cause those by the hundred.
    mutating func add(_ alert: RaisedAlert) -> RaisedAlert? {
        waiting.append(alert)
        guard waiting.count > Self.capacity else { return nil }
        return waiting.remove(at: waiting.firstIndex { $0.alert.kind.isOfKeys } ?? 0)
    }

    mutating func next() -> RaisedAlert? { waiting.isEmpty ? nil : waiting.removeFirst() }
}
