/// Which alerts go out: each subject's once an hour. A value without I/O.
struct AlertBook: Sendable {
    enum Decision: Equatable, Sendable {
        case send
        /// It has been told within the hour. `isFirst`: nothing has been said of that yet.
        case silence(isFirst: Bool)
    }

    static let interval = Duration.seconds(3600)
    /// Subjects may come from clients' keys and models. Beyond that the oldest are forgotten.
    static let capacity = 10_000

    private struct Subject: Hashable {
        var kind: Alert.Kind
        var name: String
    }
    private struct Told {
        var at: Duration
        var hasSaidSo = false
    }

    private var told: [Subject: Told] = [:]

    /// - Parameter now: of a clock that never goes back.
    mutating func note(_ alert: Alert, at now: Duration) -> Decision {
        let subject = Subject(kind: alert.kind, name: alert.subject)
        if let last = told[subject], now - last.at < Self.interval {
            told[subject]?.hasSaidSo = true
            return .silence(isFirst: !last.hasSaidSo)
        }
        if told.count >= Self.capacity, told[subject] == nil {
            told = told.filter { now - $0.value.at < Self.interval }
            if told.count >= Self.capacity, let oldest = told.min(by: { $0.value.at < $1.value.at }) {
                told[oldest.key] = nil
            }
        }
        told[subject] = Told(at: now)
        return .send
    }
}
