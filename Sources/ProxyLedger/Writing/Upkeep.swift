import GRDB

/// Lets go of what is too old, in steps so small that rows do not wait for them.
struct Upkeep {
    /// Rows a step.
    static let rowsAStep: Int64 = 5000
    private static let documentsAStep = 500
    private static let interval: Int64 = 60_000_000
    /// How long a busy writer may put it off.
    private static let patience: Int64 = 10_000_000

    private let retention: Duration
    /// Microseconds; nil when it is to begin at once.
    private var lastEnd: Int64?
    private var lastStep: Int64?

    init(retention: Duration) { self.retention = retention }

    mutating func begin() { lastEnd = nil }
    mutating func end(at now: Int64) { lastEnd = now }

    func isDue(at now: Int64, isBusy: Bool) -> Bool {
        if let lastEnd, abs(now &- lastEnd) < Self.interval { return false }
        if isBusy, let lastStep, abs(now &- lastStep) < Self.patience { return false }
        return true
    }

    /// The moment, in microseconds, before which rows go.
    static func horizon(_ retention: Duration, at now: Int64) -> Int64 {
        now - Int64(min(retention / .microseconds(1), 1e15))
    }

    /// - Returns: whether there is more to do.
    mutating func step(at now: Int64, _ db: Database) throws -> Bool {
        lastStep = now
        let rows = try deleteRows(before: Self.horizon(retention, at: now), db)
        try db.execute(
            sql: "DELETE FROM document WHERE id IN (SELECT id FROM document WHERE expires <= ? LIMIT ?)",
            arguments: [now / 1_000_000, Self.documentsAStep])
        let more = rows || db.changesCount == Self.documentsAStep
        if !more {
            try CounterTable.prune(at: now / 1_000_000, db)
            end(at: now)
        }
        return more
    }

    /// - Returns: whether some are left.
    private func deleteRows(before horizon: Int64, _ db: Database) throws -> Bool {
        let oldest = try Row.fetchCursor(
            db, sql: "SELECT id, attempts FROM request WHERE at < ? ORDER BY at LIMIT ?",
            arguments: [horizon, Self.rowsAStep])
        var ids: [Int64] = []
        var rows: Int64 = 0
        var isMore = false
        while let row = try oldest.next() {
            let attempts: Int64 = row["attempts"]
            guard rows + attempts + 1 <= Self.rowsAStep || ids.isEmpty else {
                isMore = true
                break
            }
            ids.append(row["id"])
            rows += attempts + 1
        }
        let attempts = try db.cachedStatement(sql: "DELETE FROM attempt WHERE request = ?")
        let requests = try db.cachedStatement(sql: "DELETE FROM request WHERE id = ?")
        for id in ids {
            try attempts.execute(arguments: [id])
            try requests.execute(arguments: [id])
        }
        return isMore || rows == Self.rowsAStep
    }
}
