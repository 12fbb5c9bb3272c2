import GRDB
import ProxyAccounting

/// The operator's questions, answered.
struct LedgerReport {
    /// Rows of an answer.
    private static let bound = 5000
    /// The newest rows of a range that percentiles are taken from.
    private static let sample = 20_000
    /// The same where only one key's count.
    private static let sampleOfKey = 60_000

    private let question: LedgerQuestion
    private let range: ReportRange

    /// - Parameter now: microseconds.
    init(_ question: LedgerQuestion, at now: Int64, retention: Duration, _ db: Database) throws {
        self.question = question
        let horizon = ReportRange.Horizon(
            rows: try Upkeep.rowsHorizon(retention, at: now, db), hours: Upkeep.horizon(retention, at: now))
        range = ReportRange(from: question.from, to: question.to, now: now / 1_000_000, horizon: horizon)
    }

    func answer(_ db: Database) throws -> LedgerTable {
        switch question.subject {
        case .summary: try sums(by: .nothing, nil, db)
        case .days: try days(db)
        case .keys: try sums(by: .key, "key", db)
        case .models: try sums(by: .model, "model", db)
        case .accounts: try accounts(db)
        case .failures: try failures(db)
        }
    }

    private static let columns: [LedgerTable.Column] = [
        .init("requests", .count), .init("failed", .count), .init("cancelled", .count), .init("rescued", .count),
        .init("prompt_tokens", .count), .init("completion_tokens", .count), .init("cached_tokens", .count),
        .init("reasoning_tokens", .count), .init("cached_share", .share), .init("cost_nano_usd", .nanoDollars),
        .init("attempts", .count), .init("retries", .count), .init("retries_cost_nano_usd", .nanoDollars),
        .init("unknown_usage", .count), .init("estimated_usage", .count), .init("unknown_cost", .count),
        .init("first_token_ms", .milliseconds),
    ]

    private static let expressions = """
        COALESCE(sum(requests), 0), COALESCE(sum(failed), 0), COALESCE(sum(cancelled), 0), COALESCE(sum(rescued), 0),
        sum(prompt), sum(completion), sum(cached), sum(reasoning), sum(cached) * 1.0 / NULLIF(sum(prompt), 0), sum(cost),
        COALESCE(sum(attempts), 0), COALESCE(sum(retries), 0), COALESCE(sum(retry_cost), 0),
        COALESCE(sum(unknown_usage), 0), COALESCE(sum(estimated_usage), 0), COALESCE(sum(unknown_cost), 0),
        sum(first_token_sum) / NULLIF(sum(first_token_count), 0)
        """

    /// - Parameter column: of `cell`, with the ids of the names to group by.
    private func sums(by group: ReportSQL.Group, _ column: String?, _ db: Database) throws -> LedgerTable {
        guard let column else { return try table(group, [], "SELECT \(Self.expressions) FROM cell", db) }
        var table = try table(
            group, [.init(column, .text)],
            """
            SELECT (SELECT text FROM dim WHERE id = cell.\(column)), \(Self.expressions) FROM cell GROUP BY \(column)
            ORDER BY sum(cost) DESC NULLS LAST, sum(requests) DESC, 1 LIMIT \(Self.bound)
            """, db)
        // Nobody answered, or no model was ever named.
        for index in table.rows.indices where table.rows[index][0] == .text("") { table.rows[index][0] = .null }
        return table
    }

    private func days(_ db: Database) throws -> LedgerTable {
        var table = try table(
            .nothing, [.init("day", .text)],
            "SELECT day, \(Self.expressions) FROM cell WHERE day IS NOT NULL GROUP BY day ORDER BY day LIMIT \(Self.bound)",
            db)
        for index in table.rows.indices {
            if case .integer(let day) = table.rows[index][0] { table.rows[index][0] = .text(Timestamp.date(day)) }
        }
        return table
    }

    private func table(
        _ group: ReportSQL.Group, _ heads: [LedgerTable.Column], _ select: String, _ db: Database
    ) throws -> LedgerTable {
        let cells = ReportSQL(range, key: question.key, by: group)
        var table = LedgerTable(columns: heads + Self.columns)
        let rows = try Row.fetchCursor(db, sql: "\(cells.sql) \(select)", arguments: cells.arguments)
        while let row = try rows.next() { table.rows.append(Array(row.databaseValues.map { LedgerTable.Value($0) })) }
        return table
    }

    // MARK: Accounts

    private func accounts(_ db: Database) throws -> LedgerTable {
        var table = try sums(by: .upstream, "upstream", db)
        let times = try firstTokens(db)
        table.columns += [.init("first_token_p50_ms", .milliseconds), .init("first_token_p99_ms", .milliseconds)]
        for index in table.rows.indices {
            guard case .text(let name) = table.rows[index][0], let sorted = times[name]?.sorted() else {
                table.rows[index] += [.null, .null]
                continue
            }
            table.rows[index] += [0.5, 0.99].map { share in
                .integer(sorted[max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0)])
            }
        }
        return table
    }

    /// By upstream, from the newest rows of the range that there are: of each request the last attempt's, as the others had seldom any.
    private func firstTokens(_ db: Database) throws -> [String: [Int64]] {
        var newest =
            "SELECT key, last_upstream, last_first_token FROM request WHERE id >= ? AND id < ? ORDER BY id DESC"
        var arguments: StatementArguments = [
            RowID.first(at: RequestCursor.microseconds(question.from)),
            RowID.first(at: RequestCursor.microseconds(question.to)),
        ]
        newest += " LIMIT \(question.key == nil ? Self.sample : Self.sampleOfKey)"
        var sql = "SELECT last_upstream, last_first_token FROM (\(newest)) WHERE last_first_token IS NOT NULL"
        if let key = question.key {
            sql += " AND key = (SELECT id FROM dim WHERE text = ?)"
            arguments += [key]
        }
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        var times: [Int64: [Int64]] = [:]
        while let row = try rows.next() { times[row[0], default: []].append(row[1]) }
        var named: [String: [Int64]] = [:]
        for (id, times) in times {
            let name = try String.fetchOne(db, sql: "SELECT text FROM dim WHERE id = ?", arguments: [id])
            if let name { named[name] = times }
        }
        return named
    }

    // MARK: Failures

    /// What clients got, and what attempts met that did not answer.
    private func failures(_ db: Database) throws -> LedgerTable {
        var table = LedgerTable(columns: [
            .init("level", .text), .init("error", .text), .init("upstream", .text), .init("status", .count),
            .init("count", .count), .init("last_at", .text),
        ])
        let failed = ReportSQL(failuresOf: range, key: question.key)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                \(failed.sql) SELECT CASE level WHEN 1 THEN 'request' ELSE 'attempt' END,
                    (SELECT text FROM dim WHERE id = error), (SELECT text FROM dim WHERE id = upstream),
                    NULLIF(status, -1), sum(count) AS count, max(last_at)
                FROM failed GROUP BY level, error, upstream, status
                ORDER BY 1 DESC, 5 DESC, 2, 3, 4 LIMIT \(Self.bound)
                """, arguments: failed.arguments)
        while let row = try rows.next() {
            var values = Array(row.databaseValues.map { LedgerTable.Value($0) })
            if case .integer(let at) = values[5] { values[5] = .text(Timestamp.iso(microseconds: at)) }
            table.rows.append(values)
        }
        return table
    }
}

extension LedgerTable.Value {
    init(_ value: DatabaseValue) {
        switch value.storage {
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .null, .blob: self = .null
        }
    }
}
