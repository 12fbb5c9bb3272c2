import ProxyAccounting

/// What the books say of an entry beyond its members.
///
/// `ReportSQL` says the same of rows; a test holds both together.
struct EntryFacts {
    /// The index of the attempt that answered: the last one at the upstream that did. The others are retries, or in vain.
    let served: Int?
    /// Some upstream answered, so that usage and cost could be known.
    let isAnswered: Bool
    /// It ended with an error. A stream may have begun with 200 before.
    let isFailed: Bool
    /// It was refused before an upstream was called, and nothing else is to be told of it: its row may stand for others too.
    let isPlainRefusal: Bool

    static let clientLeft = 499

    init(_ entry: RecordedEntry) {
        var served: Int?
        if let upstream = entry.upstream {
            var index = entry.attemptCount - 1
            while index >= 0, entry.name(entry.attempt(index).upstream) != entry.name(upstream) { index -= 1 }
            served = index >= 0 ? index : nil
        }
        self.served = served
        let isWithout = entry.attemptCount == 0
        isAnswered = !isWithout && (entry.status < 400 || entry.status == Self.clientLeft)
        isFailed = entry.status >= 400 || entry.error != nil
        isPlainRefusal =
            isWithout && entry.status >= 400 && entry.status != Self.clientLeft && entry.upstream == nil
            && entry.servedModel == nil && entry.rescuedFrom == nil && entry.fallback == nil && entry.cost == nil
            && entry.chargedTokens == 0 && entry.chargedCost == 0 && entry.usage.truth == .unknown
    }
}

extension RecordedEntry {
    /// The model's name of an attempt is not only the client's word.
    func isModelKnown(_ attempt: RecordedAttempt) -> Bool {
        attempt.isModelListed || name(attempt.outcome) == "succeeded" || attempt.status.map { 200..<300 ~= $0 } == true
    }
}
