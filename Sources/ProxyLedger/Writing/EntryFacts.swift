import ProxyAccounting

/// What the books say of an entry beyond its members.
///
/// `ReportSQL` says the same of rows; a test holds both together.
struct EntryFacts {
    /// The index of the attempt that answered: the last one at the upstream that did. The others are retries, or in vain.
    let served: Int?
    /// The model under which the request is rolled up. Never the client's word, which could be anything.
    let dayModel: String
    /// Some upstream answered, so that usage and cost could be known.
    let isAnswered: Bool

    static let clientLeft = 499

    init(_ entry: LedgerEntry) {
        served = entry.upstream.flatMap { upstream in entry.attempts.lastIndex { $0.upstream == upstream } }
        dayModel = entry.servedModel ?? entry.attempts.last?.model ?? ""
        isAnswered = !entry.attempts.isEmpty && (entry.status < 400 || entry.status == Self.clientLeft)
    }
}
