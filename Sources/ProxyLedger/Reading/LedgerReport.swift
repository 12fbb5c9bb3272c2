import GRDB
import ProxyAccounting

/// The operator's questions, answered.
struct LedgerReport {
    /// Rows of an answer.
    private static let bound = 5000
    /// The newest first tokens that percentiles are taken from.
    private static let sample = 50_000

    let question: LedgerQuestion
    let range: ReportRange

    func answer(_ db: Database) throws -> LedgerTable {
        switch question.subject {
        case .summary: try sums(by: [], nil, db)
        case .days: try sums(by: [.init("day", .text)], "day", order: "day", db)
        case .keys: try sums(by: [.init("key", .text)], "(SELECT text FROM dim WHERE id = cell.key)", db)
        case .models: try sums(by: [.init("model", .text)], "(SELECT text FROM dim WHERE id = cell.model)", db)
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

    private static let largestFirst = "sum(cost) DESC NULLS LAST, sum(requests) DESC, 1"

    private func sums(
        by heads: [LedgerTable.Column], _ group: String?,
        order: String = Self.largestFirst, _ db: Database
    ) throws -> LedgerTable {
        let cells = ReportSQL(range, key: question.key)
        let sql =
            "\(cells.sql) SELECT \(group.map { "\($0), " } ?? "")\(Self.expressions) FROM cell"
            + (group.map { " GROUP BY \($0) ORDER BY \(order) LIMIT \(Self.bound)" } ?? "")
        var table = LedgerTable(columns: heads + Self.columns)
        let rows = try Row.fetchCursor(db, sql: sql, arguments: cells.arguments)
        while let row = try rows.next() { table.rows.append(Array(row.databaseValues.map { LedgerTable.Value($0) })) }
        if question.subject == .days {
            for index in table.rows.indices {
                if case .integer(let day) = table.rows[index][0] { table.rows[index][0] = .text(Timestamp.date(day)) }
            }
        } else if !heads.isEmpty {
            // Nobody answered, or no model was ever named.
            for index in table.rows.indices where table.rows[index][0] == .text("") { table.rows[index][0] = .null }
        }
        return table
    }

    // MARK: Accounts

    private func accounts(_ db: Database) throws -> LedgerTable {
        var table = try sums(by: [.init("upstream", .text)], "(SELECT text FROM dim WHERE id = cell.upstream)", db)
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

    /// By upstream, from the newest rows of the range that there are.
    private func firstTokens(_ db: Database) throws -> [String: [Int64]] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT (SELECT text FROM dim WHERE id = a.upstream), a.first_token
                FROM request r JOIN attempt a ON a.request = r.id
                WHERE r.at >= ?1 AND r.at < ?2 AND a.first_token IS NOT NULL
                    AND (?3 IS NULL OR r.key = (SELECT id FROM dim WHERE text = ?3))
                ORDER BY r.at DESC LIMIT \(Self.sample)
                """, arguments: bounds)
        var times: [String: [Int64]] = [:]
        while let row = try rows.next() { times[row[0], default: []].append(row[1]) }
        return times
    }

    private var bounds: StatementArguments {
        [RequestCursor.microseconds(question.from), RequestCursor.microseconds(question.to), question.key]
    }

    // MARK: Failures

    /// What clients got, and what attempts met that did not answer. From rows, so it reaches back as far as they do.
    private func failures(_ db: Database) throws -> LedgerTable {
        var table = LedgerTable(columns: [
            .init("level", .text), .init("error", .text), .init("upstream", .text), .init("status", .count),
            .init("count", .count), .init("last_at", .text),
        ])
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT * FROM (
                    SELECT 'request', (SELECT text FROM dim WHERE id = error), (SELECT text FROM dim WHERE id = upstream),
                        status, count(*) AS count, max(at)
                    FROM request WHERE (status >= 400 OR error IS NOT NULL) AND at >= ?1 AND at < ?2
                        AND (?3 IS NULL OR key = (SELECT id FROM dim WHERE text = ?3))
                    GROUP BY error, upstream, status
                    UNION ALL
                    SELECT 'attempt', (SELECT text FROM dim WHERE id = outcome), (SELECT text FROM dim WHERE id = upstream),
                        status, count(*), max(at)
                    FROM attempt WHERE served = 0 AND at >= ?1 AND at < ?2
                        AND (?3 IS NULL OR (SELECT r.key FROM request r WHERE r.id = request)
                            = (SELECT id FROM dim WHERE text = ?3))
                    GROUP BY outcome, upstream, status
                ) ORDER BY 1 DESC, count DESC, 2, 3, 4 LIMIT \(Self.bound)
                """, arguments: bounds)
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
