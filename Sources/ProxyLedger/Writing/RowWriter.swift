import GRDB
import ProxyAccounting

/// Puts a batch of entries into the tables, within the caller's transaction.
struct RowWriter {
    private static let insertRequest = insert(into: "request", count: 28)
    private static let insertAttempt = insert(into: "attempt", count: 21)

    private(set) var names = NameTable()

    /// After a transaction that failed.
    mutating func forget() { names.forget() }

    /// Rows and roll-ups.
    mutating func write(_ entries: ArraySlice<LedgerEntry>, _ db: Database) throws {
        guard !entries.isEmpty else { return }
        let requests = try db.cachedStatement(sql: Self.insertRequest)
        let attempts = try db.cachedStatement(sql: Self.insertAttempt)
        var days: [DayCell: DaySums] = [:]
        for entry in entries {
            let facts = EntryFacts(entry)
            let at = entry.at.booked
            var cell = DayCell(
                day: at / 1_000_000 / Timestamp.day, key: try names.id(entry.key, db),
                upstream: try names.id(ifAny: entry.upstream, db) ?? 0, model: try names.id(facts.dayModel, db))
            try requests.execute(arguments: arguments(entry, at, cell, db))
            days[cell, default: DaySums()].add(entry, facts)
            guard !entry.attempts.isEmpty else { continue }
            let id = db.lastInsertedRowID
            for (index, attempt) in entry.attempts.enumerated() {
                cell.upstream = try names.id(attempt.upstream, db)
                cell.model = try names.id(attempt.model, db)
                let isServed = index == facts.served
                try attempts.execute(arguments: arguments(attempt, id, index, cell, isServed, db))
                days[cell, default: DaySums()].add(attempt, isRetry: !isServed)
            }
        }
        try DayTable.add(days, db)
    }

    private mutating func arguments(_ entry: LedgerEntry, _ at: Int64, _ cell: DayCell, _ db: Database) throws
        -> StatementArguments
    {
        let usage = entry.usage
        return [
            NameTable.clean(entry.id), at, cell.key, try names.id(entry.dialect, db), try names.id(entry.endpoint, db),
            entry.model.map(NameTable.clean), try names.id(ifAny: entry.servedModel, db),
            try names.id(ifAny: entry.upstream, db),
            cell.model, entry.status, try names.id(ifAny: entry.error, db), entry.isStreaming, entry.wait.booked,
            entry.firstToken?.booked, entry.total.booked, usage.prompt?.booked, usage.completion?.booked,
            usage.cached?.booked, usage.reasoning?.booked, usage.charactersIn?.booked, usage.charactersOut?.booked,
            usage.truth.rawValue, entry.cost?.booked, try names.id(ifAny: entry.rescuedFrom, db),
            try names.id(ifAny: entry.fallback, db), entry.chargedTokens.booked, entry.chargedCost.booked,
            entry.attempts.count,
        ]
    }

    private mutating func arguments(
        _ attempt: LedgerAttempt, _ request: Int64, _ index: Int, _ cell: DayCell, _ isServed: Bool, _ db: Database
    ) throws -> StatementArguments {
        let usage = attempt.usage
        return [
            request, index, attempt.number, attempt.at.booked, cell.upstream, cell.model,
            try names.id(ifAny: attempt.region, db), try names.id(attempt.outcome, db), attempt.status,
            attempt.opcRequestID.map(NameTable.clean), attempt.firstToken?.booked, attempt.total.booked,
            usage.prompt?.booked, usage.completion?.booked, usage.cached?.booked, usage.reasoning?.booked,
            usage.charactersIn?.booked, usage.charactersOut?.booked, usage.truth.rawValue, attempt.cost?.booked,
            isServed,
        ]
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
