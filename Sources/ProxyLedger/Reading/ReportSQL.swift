import GRDB
import ProxyAccounting

/// The roll-ups of a range, as a table `cell` for a question to go on from.
struct ReportSQL {
    let sql: String
    let arguments: StatementArguments

    static let sums =
        DayTable.counts + DayTable.unknowns + [
            "priced", "cost", "retry_cost", "first_token_sum", "first_token_count",
        ]

    /// - Parameter key: the only one to look at.
    init(_ range: ReportRange, key: String?) {
        var parts = [
            "SELECT day, key, upstream, model, \(Self.sums.joined(separator: ", ")) FROM day WHERE day >= ? AND day < ?"
        ]
        var arguments: StatementArguments = [range.days.lowerBound, range.days.upperBound]
        let only = "key = (SELECT id FROM dim WHERE text = ?)"
        if let key {
            parts[0] += " AND \(only)"
            arguments += [key]
        }
        for rows in range.rows {
            for part in [Self.requests, Self.attempts] {
                parts.append(
                    part + " WHERE r.at >= ? AND r.at < ?" + (key == nil ? "" : " AND r.\(only)")
                        + " GROUP BY 1, 2, 3, 4")
                arguments += [rows.lowerBound, rows.upperBound]
                if let key { arguments += [key] }
            }
        }
        sql = "WITH cell AS (\(parts.joined(separator: " UNION ALL ")))"
        self.arguments = arguments
    }

    private static let answered = "r.attempts > 0 AND (r.status < 400 OR r.status = \(EntryFacts.clientLeft))"

    /// What `DaySums` makes of an entry.
    private static let requests = """
        SELECT r.at / \(Timestamp.day * 1_000_000), r.key, COALESCE(r.upstream, 0), r.day_model, count(*),
            sum((r.status >= 400 OR r.error IS NOT NULL) AND r.status <> \(EntryFacts.clientLeft)), sum(r.status = \(EntryFacts.clientLeft)),
            sum(r.rescued_from IS NOT NULL), sum(\(answered) AND r.truth = 0), sum(\(answered) AND r.truth = 1),
            sum(\(answered) AND r.cost IS NULL), 0, 0, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0
        FROM request r
        """

    /// What `DaySums` makes of an attempt.
    private static let attempts = """
        SELECT r.at / \(Timestamp.day * 1_000_000), r.key, a.upstream, a.model, 0, 0, 0, 0, 0, 0, 0, count(*),
            sum(a.served = 0), sum(a.prompt), sum(a.completion), sum(a.cached), sum(a.reasoning), count(a.cost),
            sum(a.cost), sum(CASE WHEN a.served THEN 0 ELSE COALESCE(a.cost, 0) END),
            COALESCE(sum(a.first_token), 0), count(a.first_token)
        FROM request r JOIN attempt a ON a.request = r.id
        """
}
