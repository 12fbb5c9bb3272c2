import GRDB

/// Lets go of what is too old, in steps so small that rows do not wait for them.
struct Upkeep {
    /// Rows a step.
    static let rowsAStep: Int64 = 5000
    private static let documentsAStep = 500
    private static let interval: Int64 = 60_000_000
    /// How long a busy writer may put it off.
    private static let patience: Int64 = 10_000_000

    /// How much of the bound is freed at a time.
    private static let slack: Int64 = 64

    private let retention: Duration
    /// Bytes.
    private let maxSize: Int64?
    /// Microseconds; nil when it is to begin at once.
    private var lastEnd: Int64?
    private var lastStep: Int64?
    /// The file has reached its bound, and is not so far below it yet that it is worth while.
    private(set) var isTooLarge = false
    /// The moment of the oldest row that is left, after some had to go for want of room.
    private var oldest: Int64?
    private var lastNews: Int64?

    /// - Parameter maxSize: of the file, in bytes; nil is no bound.
    init(retention: Duration, maxSize: Int64? = nil) {
        self.retention = retention
        self.maxSize = maxSize
    }

    mutating func begin() { lastEnd = nil }
    mutating func end(at now: Int64) { lastEnd = now }

    func isDue(at now: Int64, isBusy: Bool) -> Bool {
        if let lastEnd, abs(now &- lastEnd) < Self.interval { return false }
        if isBusy, !isTooLarge, let lastStep, abs(now &- lastStep) < Self.patience { return false }
        return true
    }

    /// The moment, in microseconds, before which rows go.
    static func horizon(_ retention: Duration, at now: Int64) -> Int64 {
        now - Int64(min(retention / .microseconds(1), 1e15))
    }

    /// - Returns: whether there is more to do.
    mutating func step(at now: Int64, _ db: Database) throws -> Bool {
        lastStep = now
        var more = try Self.deleteRows(before: RowID.first(at: Self.horizon(retention, at: now)), db).isMore
        try look(db)
        if isTooLarge, !more {
            if let last = try Self.deleteRows(before: .max, db).last {
                oldest = last >> RowID.bits
                try look(db)
            } else {
                // It is not the rows that are large.
                isTooLarge = false
            }
            more = isTooLarge
        }
        try db.execute(
            sql: "DELETE FROM document WHERE id IN (SELECT id FROM document WHERE expires <= ? LIMIT ?)",
            arguments: [now / 1_000_000, Self.documentsAStep])
        more = more || db.changesCount == Self.documentsAStep
        if !more {
            try CounterTable.prune(at: now / 1_000_000, db)
            // A day longer than rows, so that each hour of which there are rows is there.
            try SumTable.prune(hoursBefore: Self.horizon(retention, at: now) / 3_600_000_000 - SumBook.hoursADay, db)
            end(at: now)
        }
        return more
    }

    /// Looks how large the file is, without the room in it that is free.
    mutating func look(_ db: Database) throws {
        guard let maxSize else { return }
        func pragma(_ name: String) throws -> Int64 {
            try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA \(name)")) ?? 0
        }
        let used = try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
        isTooLarge = used > (isTooLarge ? maxSize - maxSize / Self.slack : maxSize)
    }

    /// What the operator is to be told after a step, once a day.
    mutating func news(at now: Int64) -> String? {
        guard let oldest, let maxSize else { return nil }
        self.oldest = nil
        if let lastNews, abs(now &- lastNews) < Timestamp.day * 1_000_000 { return nil }
        lastNews = now
        return
            "The ledger has reached ledger_max_size (\(maxSize >> 20) MiB): its oldest rows go, those of requests before "
            + "\(Timestamp.iso(microseconds: oldest)) have gone. Roll-ups stay. A larger ledger_max_size or a shorter "
            + "ledger_retention keeps this from happening."
    }

    /// Deletes some of the oldest rows, with their attempts.
    ///
    /// - Parameter limit: the id before which rows go.
    /// - Returns: whether some are left, and the last that has gone.
    private static func deleteRows(before limit: Int64, _ db: Database) throws -> (isMore: Bool, last: Int64?) {
        let oldest = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT id, attempts FROM request WHERE id < ? ORDER BY id LIMIT \(rowsAStep)"),
            arguments: [limit])
        var last: Int64?
        var rows: Int64 = 0
        var isMore = false
        while let row = try oldest.next() {
            // The last attempt is in the request's row.
            let count = max(row["attempts"] as Int64, 1)
            guard rows + count <= rowsAStep || last == nil else {
                isMore = true
                break
            }
            last = row["id"]
            rows += count
        }
        guard let last else { return (false, nil) }
        try db.execute(sql: "DELETE FROM attempt WHERE request <= ?", arguments: [last])
        try db.execute(sql: "DELETE FROM request WHERE id <= ?", arguments: [last])
        try db.execute(
            sql: "INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)", arguments: [Self.gone, String(last)])
        return (isMore || rows == rowsAStep, last)
    }

    /// In `meta`: the largest id of a request whose row has been let go of.
    static let gone = "gone"

    /// The moment, in microseconds, from which on all rows are there.
    static func rowsHorizon(_ retention: Duration, at now: Int64, _ db: Database) throws -> Int64 {
        let last = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = ?", arguments: [gone])
        return max(horizon(retention, at: now), last.flatMap { Int64($0) }.map { $0 >> RowID.bits + 1 } ?? 0)
    }
}
