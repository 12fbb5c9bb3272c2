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
    /// The part of the bound that documents may take before rows have to go: a half. Rows are what the ledger is for, and clients decide how much they keep.
    private static let documentShare: Int64 = 2

    private let retention: Duration
    /// Bytes.
    private let maxSize: Int64?
    /// Microseconds; nil when it is to begin at once.
    private var lastEnd: Int64?
    private var lastStep: Int64?
    /// The file has reached its bound, and is not so far below it yet that it is worth while.
    private(set) var isTooLarge = false
    /// Bytes in use, when they were last looked at.
    private var used: Int64 = 0
    /// The moment of the oldest row that is left, after some had to go for want of room.
    private var oldest: Int64?
    /// Documents that had to go for want of room, of which nobody has been told yet.
    private var documentsGone = 0
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
            try makeRoom(db)
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

    /// Lets the oldest rows go, or the oldest documents: where these take more than their share, and where no rows are left.
    private mutating func makeRoom(_ db: Database) throws {
        guard let maxSize else { return }
        let excess = used - (maxSize - maxSize / Self.slack)
        let documents = try Int64.fetchOne(db.cachedStatement(sql: "SELECT sum(length(bytes)) FROM document")) ?? 0
        let beyondShare = documents - maxSize / Self.documentShare
        if beyondShare <= 0, let last = try Self.deleteRows(before: .max, db).last {
            oldest = last >> RowID.bits
        } else {
            let gone = try Self.deleteDocuments(of: beyondShare > 0 ? min(excess, beyondShare) : excess, db)
            documentsGone += gone
            if gone == 0 {
                // It is neither that is large.
                isTooLarge = false
                return
            }
        }
        try look(db)
    }

    /// Looks how large the file is, without the room in it that is free.
    mutating func look(_ db: Database) throws {
        guard let maxSize else { return }
        func pragma(_ name: String) throws -> Int64 {
            try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA \(name)")) ?? 0
        }
        used = try (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
        isTooLarge = used > (isTooLarge ? maxSize - maxSize / Self.slack : maxSize)
    }

    /// What the operator is to be told after a step, once a day: when there is room again, so that all is told that had to go for it.
    mutating func news(at now: Int64) -> String? {
        guard let maxSize, !isTooLarge, oldest != nil || documentsGone > 0 else { return nil }
        let oldest = oldest
        self.oldest = nil
        if let lastNews, abs(now &- lastNews) < Timestamp.day * 1_000_000 { return nil }
        lastNews = now
        var words = "The ledger has reached ledger_max_size (\(maxSize >> 20) MiB): "
        if let oldest {
            words +=
                "its oldest rows go, those of requests before \(Timestamp.iso(microseconds: oldest)) have gone. Roll-ups stay. "
        }
        if documentsGone > 0 {
            words += "\(documentsGone) of the oldest stored responses have gone, and are not found after a restart. "
        }
        documentsGone = 0
        return words + "A larger ledger_max_size or a shorter ledger_retention keeps this from happening."
    }

    /// Deletes some of the oldest documents, until they have so many bytes.
    ///
    /// - Returns: how many.
    private static func deleteDocuments(of bytes: Int64, _ db: Database) throws -> Int {
        let oldest = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT created, id, length(bytes) FROM document ORDER BY created, id LIMIT \(documentsAStep)"))
        var last: (created: Int64, id: String)?
        var left = bytes
        while left > 0 || last == nil, let row = try oldest.next() {
            last = (row[0], row[1])
            left -= row[2] as Int64
        }
        guard let last else { return 0 }
        try db.execute(
            sql: "DELETE FROM document WHERE (created, id) <= (?, ?)", arguments: [last.created, last.id])
        return db.changesCount
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
        try db.execute(sql: "DELETE FROM story WHERE request <= ?", arguments: [last])
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
