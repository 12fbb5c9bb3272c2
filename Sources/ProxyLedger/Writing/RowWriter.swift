import GRDB
import ProxyAccounting

/// Puts a batch of entries into the tables, within the caller's transaction.
struct RowWriter {
    private static let requestColumns: Int32 = 28
    private static let attemptColumns: Int32 = 21
    private static let insertRequest = insert(into: "request", count: Int(requestColumns))
    private static let insertAttempt = insert(into: "attempt", count: Int(attemptColumns))

    private(set) var names = NameTable()

    /// After a transaction that failed.
    mutating func forget() { names.forget() }

    /// Rows and roll-ups.
    mutating func write(_ entries: ArraySlice<LedgerEntry>, _ db: Database) throws {
        guard !entries.isEmpty else { return }
        var requests = RowBinder(try db.cachedStatement(sql: Self.insertRequest))
        var attempts = RowBinder(try db.cachedStatement(sql: Self.insertAttempt))
        var days: [DayCell: DaySums] = [:]
        for entry in entries {
            let facts = EntryFacts(entry)
            let at = entry.at.booked
            var cell = DayCell(
                day: at / 1_000_000 / Timestamp.day, key: try names.id(entry.key, db),
                upstream: try names.id(ifAny: entry.upstream, db) ?? 0, model: try names.id(facts.dayModel, db))
            try bind(entry, at, cell, to: &requests, db)
            try requests.insert(columns: Self.requestColumns, in: db)
            days[cell, default: DaySums()].add(entry, facts)
            guard !entry.attempts.isEmpty else { continue }
            let id = db.lastInsertedRowID
            for (index, attempt) in entry.attempts.enumerated() {
                cell.upstream = try names.id(attempt.upstream, db)
                cell.model = try names.id(attempt.model, db)
                let isServed = index == facts.served
                try bind(attempt, id, index, cell, isServed, to: &attempts, db)
                try attempts.insert(columns: Self.attemptColumns, in: db)
                days[cell, default: DaySums()].add(attempt, isRetry: !isServed)
            }
        }
        try DayTable.add(days, db)
    }

    private mutating func bind(
        _ entry: LedgerEntry, _ at: Int64, _ cell: DayCell, to row: inout RowBinder, _ db: Database
    ) throws {
        row.bind(NameTable.clean(entry.id))
        row.bind(at)
        row.bind(cell.key)
        row.bind(try names.id(entry.dialect, db))
        row.bind(try names.id(entry.endpoint, db))
        row.bind(entry.model.map(NameTable.clean))
        row.bind(try names.id(ifAny: entry.servedModel, db))
        row.bind(try names.id(ifAny: entry.upstream, db))
        row.bind(cell.model)
        row.bind(entry.status)
        row.bind(try names.id(ifAny: entry.error, db))
        row.bind(entry.isStreaming)
        row.bind(entry.wait.booked)
        row.bind(entry.firstToken?.booked)
        row.bind(entry.total.booked)
        bind(entry.usage, to: &row)
        row.bind(entry.usage.truth.rawValue)
        row.bind(entry.cost?.booked)
        row.bind(try names.id(ifAny: entry.rescuedFrom, db))
        row.bind(try names.id(ifAny: entry.fallback, db))
        row.bind(entry.chargedTokens.booked)
        row.bind(entry.chargedCost.booked)
        row.bind(entry.attempts.count)
    }

    private mutating func bind(
        _ attempt: LedgerAttempt, _ request: Int64, _ index: Int, _ cell: DayCell, _ isServed: Bool,
        to row: inout RowBinder, _ db: Database
    ) throws {
        row.bind(request)
        row.bind(index)
        row.bind(attempt.number)
        row.bind(attempt.at.booked)
        row.bind(cell.upstream)
        row.bind(cell.model)
        row.bind(try names.id(ifAny: attempt.region, db))
        row.bind(try names.id(attempt.outcome, db))
        row.bind(attempt.status)
        row.bind(attempt.opcRequestID.map(NameTable.clean))
        row.bind(attempt.firstToken?.booked)
        row.bind(attempt.total.booked)
        bind(attempt.usage, to: &row)
        row.bind(attempt.usage.truth.rawValue)
        row.bind(attempt.cost?.booked)
        row.bind(isServed)
    }

    private func bind(_ usage: LedgerUsage, to row: inout RowBinder) {
        row.bind(usage.prompt?.booked)
        row.bind(usage.completion?.booked)
        row.bind(usage.cached?.booked)
        row.bind(usage.reasoning?.booked)
        row.bind(usage.charactersIn?.booked)
        row.bind(usage.charactersOut?.booked)
    }

    private static func insert(into table: String, count: Int) -> String {
        let columns =
            table == "request"
            ? """
            (rid, at, key, dialect, endpoint, model, served_model, upstream, day_model, status, error, stream, wait,
            first_token, total, prompt, completion, cached, reasoning, characters_in, characters_out, truth, cost,
            rescued_from, fallback, charged_tokens, charged_cost, attempts)
            """ : ""
        return "INSERT INTO \(table)\(columns) VALUES (\(Array(repeating: "?", count: count).joined(separator: ",")))"
    }
}

/// The roll-ups' table.
enum DayTable {
    static func add(_ days: [DayCell: DaySums], _ db: Database) throws {
        let statement = try db.cachedStatement(sql: upsert)
        for (cell, sums) in days {
            try statement.execute(arguments: [
                cell.day, cell.key, cell.upstream, cell.model, sums.requests, sums.failed, sums.cancelled, sums.rescued,
                sums.unknownUsage, sums.estimatedUsage, sums.unknownCost, sums.attempts, sums.retries, sums.prompt,
                sums.completion, sums.cached, sums.reasoning, sums.priced, sums.cost, sums.retryCost,
                sums.firstTokenSum, sums.firstTokenCount,
            ])
        }
    }

    /// Takes other costs into a roll-up. Where no cost is known any more, it is NULL again.
    static func reprice(_ cell: DayCell, _ change: CostChange, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                UPDATE day SET cost = CASE WHEN priced + ?1 <= 0 THEN NULL ELSE COALESCE(cost, 0) + ?2 END,
                    priced = priced + ?1, retry_cost = retry_cost + ?3, unknown_cost = unknown_cost + ?4
                WHERE day = ?5 AND key = ?6 AND upstream = ?7 AND model = ?8
                """
        ).execute(arguments: [
            change.priced, change.cost, change.retryCost, change.unknownCost, cell.day, cell.key, cell.upstream,
            cell.model,
        ])
    }

    static let counts = [
        "requests", "failed", "cancelled", "rescued", "unknown_usage", "estimated_usage", "unknown_cost", "attempts",
        "retries",
    ]
    static let unknowns = ["prompt", "completion", "cached", "reasoning"]

    private static let upsert = {
        let sums = counts + ["priced", "retry_cost", "first_token_sum", "first_token_count"]
        let added = sums.map { "\($0) = \($0) + excluded.\($0)" }
        let known = (unknowns + ["cost"]).map {
            "\($0) = CASE WHEN excluded.\($0) IS NULL THEN \($0) ELSE COALESCE(\($0), 0) + excluded.\($0) END"
        }
        let marks = Array(repeating: "?", count: 22).joined(separator: ",")
        return """
            INSERT INTO day VALUES (\(marks)) ON CONFLICT DO UPDATE SET \((added + known).joined(separator: ", "))
            """
    }()
}

/// How a roll-up's costs change.
struct CostChange {
    var priced: Int64 = 0
    var cost: NanoDollars = 0
    var retryCost: NanoDollars = 0
    var unknownCost: Int64 = 0
}
