import ProxyAccounting

/// Tells of trouble with the disk at most once a minute, and of its end.
struct Telling {
    private static let interval: Int64 = 60_000_000

    private let log: @Sendable (LedgerNotice, String) -> Void
    private var lastTold: Int64?
    /// Rows that nobody has been told of yet.
    private var lost = 0
    /// The end of what has been told is still to be told.
    private var isOwed = false
    private(set) var isFailing = false

    init(_ log: @escaping @Sendable (LedgerNotice, String) -> Void) { self.log = log }

    /// - Parameter now: microseconds by the wall clock, which may jump.
    mutating func failed(_ reason: String, lost count: Int, at now: Int64) {
        isFailing = true
        lost += count
        if let lastTold, abs(now &- lastTold) < Self.interval { return }
        lastTold = now
        isOwed = true
        log(
            .error,
            "The ledger cannot be written (\(reason))"
                + (lost > 0 ? ": \(lost) requests have no row; budgets still count them. " : ". ")
                + "It goes on by itself when writing works again.")
        lost = 0
    }

    /// The rows that nobody has been told of yet. Whoever takes them tells of them.
    mutating func takeLost() -> Int {
        defer { lost = 0 }
        return lost
    }

    /// A disk that works and fails in turn is told of once a minute, too.
    mutating func succeeded() {
        isFailing = false
        guard isOwed else { return }
        isOwed = false
        log(.notice, "The ledger is written again" + (lost > 0 ? "; \(lost) more requests have no row." : "."))
        lost = 0
    }
}
