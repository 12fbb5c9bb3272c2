import GRDB
import ProxyAccounting

/// The budgets' counters on the disk.
enum CounterTable {
    /// How long cells of a window are kept after their beginning. Those of hours are what others are rebuilt from when the time zone
    /// changes, so they last longer than any month.
    private static let kept: [(BudgetWindow, days: Int64)] = [(.hour, 40), (.day, 40), (.week, 40), (.month, 100)]

    static func add(_ cells: [CounterBook.Cell: CounterBook.Sums], _ db: Database) throws {
        var row = RowBinder(
            try db.cachedStatement(
                sql: """
                    INSERT INTO counter(key, window, period_start, requests, tokens, cost) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
                        tokens = tokens + excluded.tokens, cost = cost + excluded.cost
                    """), textCount: 2)
        for (cell, sums) in cells {
            row.bind(cell.key)
            row.bind(cell.window.rawValue)
            row.bind(cell.start)
            row.bind(sums.requests)
            row.bind(sums.tokens)
            row.bind(sums.cost)
            try row.run(parameters: 6, in: db)
        }
    }

    static func current(_ periods: [(BudgetWindow, Int64)], _ db: Database) throws -> [LedgerCounter] {
        try periods.flatMap { window, start in
            try Row.fetchAll(
                db, sql: "SELECT * FROM counter WHERE window = ? AND period_start = ? ORDER BY key",
                arguments: [window.rawValue, start]
            ).map { row in
                LedgerCounter(
                    key: row["key"], window: window, periodStart: start, requests: row["requests"],
                    tokens: row["tokens"], cost: row["cost"])
            }
        }
    }

    /// Lets go of periods that no budget asks for any more.
    static func prune(at seconds: Int64, _ db: Database) throws {
        for (window, days) in kept {
            try db.execute(
                sql: "DELETE FROM counter WHERE window = ? AND period_start < ?",
                arguments: [window.rawValue, seconds - days * Timestamp.day])
        }
    }

    /// Sorts what was charged into the periods of another calendar.
    ///
    /// It goes by the hours' cells: they hold what lost rows were charged too, last 40 days whatever the retention of rows, and are few. Between
    /// zones that lie part of an hour apart, an hour that a period now begins within counts for the period of its beginning.
    static func rebuild(_ periodStart: (BudgetWindow, Int64) -> Int64, _ db: Database) throws {
        var cells: [CounterBook.Cell: CounterBook.Sums] = [:]
        let hours = try Row.fetchCursor(db, sql: "SELECT * FROM counter WHERE window = 'hour'")
        while let row = try hours.next() {
            let start: Int64 = row["period_start"]
            let sums = CounterBook.Sums(requests: row["requests"], tokens: row["tokens"], cost: row["cost"])
            for window in BudgetWindow.allCases where window != .total {
                cells[
                    CounterBook.Cell(key: row["key"], window: window, start: periodStart(window, start)),
                    default: CounterBook.Sums()
                ].add(sums)
            }
        }
        try db.execute(sql: "DELETE FROM counter WHERE window <> 'total'")
        try add(cells, db)
    }
}
