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
        if let upstream = entry.name(ifAny: entry.row.upstream) {
            var index = entry.attemptCount - 1
            while index >= 0, entry.name(entry.attempt(index).upstream) != upstream { index -= 1 }
            served = index >= 0 ? index : nil
        }
        self.served = served
        let isWithout = entry.attemptCount == 0
        isAnswered = !isWithout && (entry.row.status < 400 || entry.row.status == Self.clientLeft)
        isFailed = entry.row.status >= 400 || !entry.row.error.isNone
        isPlainRefusal =
            isWithout && entry.row.status >= 400 && entry.row.status != Self.clientLeft && entry.row.upstream.isNone
            && entry.row.servedModel.isNone && entry.row.rescuedFrom.isNone && entry.row.fallback.isNone
            && entry.row.cost == nil
            && entry.row.chargedTokens == 0 && entry.row.chargedCost == 0 && entry.row.usage.isUnknown
    }
}

extension RecordedEntry {
    /// The model's name of an attempt is not only the client's word.
    func isModelKnown(_ attempt: AttemptRow) -> Bool {
        attempt.isModelListed || name(attempt.outcome) == "succeeded" || attempt.status.map { 200..<300 ~= $0 } == true
    }
}
