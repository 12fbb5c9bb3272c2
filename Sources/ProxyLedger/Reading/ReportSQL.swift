import GRDB
import ProxyAccounting

/// The sums of a range, as a table `cell` for a question to go on from, and its failures as `failed`.
struct ReportSQL {
    let sql: String
    let arguments: StatementArguments

    static let sums =
        SumTable.counts + SumTable.unknowns + [
            "priced", "cost", "retry_cost", "first_token_sum", "first_token_count",
        ]

    private static let only = "key = (SELECT id FROM dim WHERE text = ?)"

    /// What is told apart. SQLite sorts rows by it, which costs more than to sum them up.
    enum Group { case nothing, key, upstream, model, all }

    /// A table `cell(day, key, upstream, model, ...)`, where the columns that `group` does not name may be anything.
    ///
    /// - Parameter key: the only one to look at.
    init(_ range: ReportRange, key: String?, by group: Group) {
        var union = Union(key)
        let sums = Self.sums.joined(separator: ", ")
        union.add("SELECT day, key, upstream, model, \(sums) FROM day WHERE day >= ? AND day < ?", range.days)
        for hours in range.hours {
            union.add(
                """
                SELECT hour / \(SumBook.hoursADay), key, upstream, model, \(sums) FROM hour
                WHERE hour >= ? AND hour < ?
                """, hours)
        }
        for rows in range.rows.map(Self.ids) {
            union.add(Self.requests(by: group), rows, end: Self.end(of: group))
            union.add(
                "\(Self.attempts("r.last_", by: group)) FROM request r WHERE r.attempts > 0 AND \(Self.inRange)", rows,
                end: Self.end(of: group))
            union.add(
                "\(Self.attempts("a.", by: group)) FROM attempt a JOIN request r ON r.id = a.request WHERE \(Self.former)",
                rows, end: Self.end(of: group))
        }
        sql = "WITH cell AS (\(union.sql))"
        arguments = union.arguments
    }

    /// A table `failed(level, error, upstream, status, count, last_at)`.
    init(failuresOf range: ReportRange, key: String?) {
        var union = Union(key)
        let columns = "SELECT level, error, upstream, status, count, last_at FROM failure WHERE"
        union.add("\(columns) span = \(SumBook.hoursADay) AND start >= ? AND start < ?", range.days)
        for hours in range.hours { union.add("\(columns) span = 1 AND start >= ? AND start < ?", hours) }
        for rows in range.rows.map(Self.ids) {
            for part in [Self.failedRequests, Self.failedLastAttempts, Self.failedFormerAttempts] {
                union.add(part, rows)
            }
        }
        sql = "WITH failed AS (\(union.sql))"
        arguments = union.arguments
    }

    private struct Union {
        let key: String?
        var parts: [String] = []
        var arguments: StatementArguments = []

        init(_ key: String?) { self.key = key }

        mutating func add(_ part: String, _ range: Range<Int64>, end: String = "") {
            parts.append(part + (key == nil ? "" : " AND \(only)") + end)
            arguments += [range.lowerBound, range.upperBound]
            if let key { arguments += [key] }
        }

        var sql: String { parts.joined(separator: " UNION ALL ") }
    }

    private static func ids(_ microseconds: Range<Int64>) -> Range<Int64> {
        RowID.first(at: microseconds.lowerBound)..<RowID.first(at: microseconds.upperBound)
    }

    // MARK: From rows

    private static let answered = "r.attempts > 0 AND (r.status < 400 OR r.status = \(EntryFacts.clientLeft))"
    private static let failed = "(r.status >= 400 OR r.error IS NOT NULL)"
    private static let inRange = "r.id >= ? AND r.id < ?"
    private static let former = "a.request >= ? AND a.request < ?"

    /// The first four columns of a cell. A range of rows is within an hour, so its day is that of any row.
    private static func head(_ group: Group, upstream: String, model: String) -> String {
        let day = "\(RowID.at("max(r.id)")) / \(Timestamp.day * 1_000_000)"
        return switch group {
        case .nothing: "\(day), 0, 0, 0"
        case .key: "\(day), r.key, 0, 0"
        case .upstream: "\(day), 0, \(upstream), 0"
        case .model: "\(day), 0, 0, \(model)"
        case .all: "\(RowID.at("r.id")) / \(Timestamp.day * 1_000_000), r.key, \(upstream), \(model)"
        }
    }

    /// Without any rows `nothing` is a cell whose day and sums are NULL.
    private static func end(of group: Group) -> String {
        switch group {
        case .nothing: ""
        case .key: " GROUP BY 2"
        case .upstream: " GROUP BY 3"
        case .model: " GROUP BY 4"
        case .all: " GROUP BY 1, 2, 3, 4"
        }
    }

    /// What `RequestSums` makes of an entry. What stands for several has no attempts.
    private static func requests(by group: Group) -> String {
        """
        SELECT \(head(group, upstream: "COALESCE(r.upstream, 0)", model: "r.day_model")), sum(r.times),
            sum(r.times * (\(failed) AND r.status <> \(EntryFacts.clientLeft))),
            sum(r.status = \(EntryFacts.clientLeft)), sum(r.rescued_from IS NOT NULL),
            sum(\(answered) AND r.truth = 0), sum(\(answered) AND r.truth = 1),
            sum(\(answered) AND r.cost IS NULL), 0, 0, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0
        FROM request r WHERE \(inRange)
        """
    }

    /// What `RequestSums` makes of an attempt.
    private static func attempts(_ prefix: String, by group: Group) -> String {
        """
        SELECT \(head(group, upstream: prefix + "upstream", model: prefix + "model")),
            0, 0, 0, 0, 0, 0, 0, count(*), sum(\(prefix)served = 0), sum(\(prefix)prompt), sum(\(prefix)completion),
            sum(\(prefix)cached), sum(\(prefix)reasoning), count(\(prefix)cost), sum(\(prefix)cost),
            sum(CASE WHEN \(prefix)served THEN 0 ELSE COALESCE(\(prefix)cost, 0) END),
            COALESCE(sum(\(prefix)first_token), 0), count(\(prefix)first_token)
        """
    }

    private static let failedRequests = """
        SELECT 1, COALESCE(r.error, -1), COALESCE(r.upstream, -1), r.status, r.times, \(RowID.at("r.id"))
        FROM request r WHERE \(failed) AND \(inRange)
        """
    private static let failedLastAttempts = """
        SELECT 0, r.last_outcome, r.last_upstream, COALESCE(r.last_status, -1), 1, \(RowID.at("r.id"))
        FROM request r WHERE r.last_served = 0 AND \(inRange)
        """
    private static let failedFormerAttempts = """
        SELECT 0, a.outcome, a.upstream, COALESCE(a.status, -1), 1, \(RowID.at("r.id"))
        FROM attempt a JOIN request r ON r.id = a.request WHERE a.served = 0 AND \(former)
        """
}
