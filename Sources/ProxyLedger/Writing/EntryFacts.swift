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

    init(_ entry: LedgerEntry) {
        var served: Int?
        if let upstream = entry.upstream {
            var index = entry.attempts.count - 1
            while index >= 0, entry.attempts[index].upstream != upstream { index -= 1 }
            served = index >= 0 ? index : nil
        }
        self.served = served
        let isWithout = entry.attempts.isEmpty
        isAnswered = !isWithout && (entry.status < 400 || entry.status == Self.clientLeft)
        isFailed = entry.status >= 400 || entry.error != nil
        isPlainRefusal =
            isWithout && entry.status >= 400 && entry.status != Self.clientLeft && entry.upstream == nil
            && entry.servedModel == nil && entry.rescuedFrom == nil && entry.fallback == nil && entry.cost == nil
            && entry.chargedTokens == 0 && entry.chargedCost == 0 && entry.usage.truth == .unknown
    }
}

extension LedgerAttempt {
    /// Its model's name is not only the client's word.
    var isModelKnown: Bool { isModelListed || outcome == "succeeded" || status.map { 200..<300 ~= $0 } == true }
}
