import GRDB
import ProxyAccounting

/// The roll-ups' tables.
enum SumTable {
    static func add(_ book: SumBook, _ db: Database) throws {
        try add(book.hours, upsertHour, db)
        try add(book.days, upsertDay, db)
        guard !book.failures.isEmpty else { return }
        try add(book.failures, span: 1, db)
        try add(book.failuresOfDays, span: SumBook.hoursADay, db)
    }

    private static func add(_ cells: [SumCell: RequestSums], _ upsert: String, _ db: Database) throws {
        var row = RowBinder(try db.cachedStatement(sql: upsert))
        for (cell, sums) in cells {
            row.bind(cell.start)
            row.bind(cell.key)
            row.bind(cell.upstream)
            row.bind(cell.model)
            row.bind(sums.requests)
            row.bind(sums.failed)
            row.bind(sums.cancelled)
            row.bind(sums.rescued)
            row.bind(sums.unknownUsage)
            row.bind(sums.estimatedUsage)
            row.bind(sums.unknownCost)
            row.bind(sums.attempts)
            row.bind(sums.retries)
            row.bind(sums.prompt)
            row.bind(sums.completion)
            row.bind(sums.cached)
            row.bind(sums.reasoning)
            row.bind(sums.priced)
            row.bind(sums.cost)
            row.bind(sums.retryCost)
            row.bind(sums.firstTokenSum)
            row.bind(sums.firstTokenCount)
            try row.run(parameters: 22, in: db)
        }
    }

    private static func add(_ cells: [FailureCell: SumBook.Failures], span: Int64, _ db: Database) throws {
        var row = RowBinder(try db.cachedStatement(sql: upsertFailure))
        for (cell, failures) in cells {
            row.bind(span)
            row.bind(cell.start)
            row.bind(cell.key)
            row.bind(cell.isRequest)
            row.bind(cell.error)
            row.bind(cell.upstream)
            row.bind(cell.status)
            row.bind(failures.count)
            row.bind(failures.lastAt)
            try row.run(parameters: 9, in: db)
        }
    }

    /// Takes other costs into the roll-ups of an hour and its day. Where no cost is known any more, it is NULL again.
    static func reprice(_ cell: SumCell, _ change: CostChange, _ db: Database) throws {
        for (table, start) in [("hour", cell.start), ("day", cell.ofDay.start)] {
            try db.cachedStatement(
                sql: """
                    UPDATE \(table) SET cost = CASE WHEN priced + ?1 <= 0 THEN NULL ELSE COALESCE(cost, 0) + ?2 END,
                        priced = priced + ?1, retry_cost = retry_cost + ?3, unknown_cost = unknown_cost + ?4
                    WHERE \(table) = ?5 AND key = ?6 AND upstream = ?7 AND model = ?8
                    """
            ).execute(arguments: [
                change.priced, change.cost, change.retryCost, change.unknownCost, start, cell.key, cell.upstream,
                cell.model,
            ])
        }
    }

    /// Lets go of hours before one. Days stay.
    static func prune(hoursBefore hour: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM hour WHERE hour < ?", arguments: [hour])
        try db.execute(sql: "DELETE FROM failure WHERE span = 1 AND start < ?", arguments: [hour])
    }

    static let counts = [
        "requests", "failed", "cancelled", "rescued", "unknown_usage", "estimated_usage", "unknown_cost", "attempts",
        "retries",
    ]
    static let unknowns = ["prompt", "completion", "cached", "reasoning"]

    private static let upsertHour = upsert("hour")
    private static let upsertDay = upsert("day")

    private static func upsert(_ table: String) -> String {
        let sums = counts + ["priced", "retry_cost", "first_token_sum", "first_token_count"]
        let added = sums.map { "\($0) = \($0) + excluded.\($0)" }
        let known = (unknowns + ["cost"]).map {
            "\($0) = CASE WHEN excluded.\($0) IS NULL THEN \($0) ELSE COALESCE(\($0), 0) + excluded.\($0) END"
        }
        let marks = Array(repeating: "?", count: 22).joined(separator: ",")
        return """
            INSERT INTO \(table) VALUES (\(marks))
            ON CONFLICT DO UPDATE SET \((added + known).joined(separator: ", "))
            """
    }

    private static let upsertFailure = """
        INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET count = count + excluded.count, last_at = max(last_at, excluded.last_at)
        """
}

/// How a roll-up's costs change.
struct CostChange {
    var priced: Int64 = 0
    var cost: NanoDollars = 0
    var retryCost: NanoDollars = 0
    var unknownCost: Int64 = 0
}
