import GRDB
import ProxyAccounting

/// What an export has a line for, its members in order, and where each comes from.
extension LedgerExportOrder.Level {
    struct Column {
        var name: String
        var kind: ExportText.Kind
        var sql: String

        init(_ name: String, _ kind: ExportText.Kind, _ sql: String? = nil) {
            self.name = name
            self.kind = kind
            self.sql = sql ?? name
        }

        /// A name that `dim` holds.
        static func named(_ name: String, _ column: String? = nil) -> Column {
            Column(name, .text, "(SELECT text FROM dim WHERE id = \(column ?? name))")
        }
    }

    var columns: [Column] {
        switch self {
        case .request:
            [
                Column("id", .text, "rid"), Column("at", .moment, RowID.at("id")), .named("key"), .named("dialect"),
                .named("endpoint"), Column("model", .text), .named("served_model"), .named("upstream"),
                Column("status", .number), .named("error"), Column("stream", .flag),
                Column("wait_ms", .microseconds, "wait"), Column("first_token_ms", .microseconds, "first_token"),
                Column("total_ms", .microseconds, "total"), Column("attempts", .number),
            ] + Self.tokens + [
                Column("truth", .truth), Column("cost_nano_usd", .number, "cost"), .named("rescued", "rescued_from"),
                .named("fallback"),
            ]
        case .attempt:
            [
                Column("request_id", .text, "(SELECT rid FROM request WHERE id = a.request)"), Column("n", .number),
                Column("at", .moment),
                .named("upstream"), .named("model"), .named("region"), .named("outcome"), Column("status", .number),
                Column("opc_request_id", .text), Column("first_token_ms", .microseconds, "first_token"),
                Column("total_ms", .microseconds, "total"),
            ] + Self.tokens + [
                Column("characters_in", .number), Column("characters_out", .number), Column("truth", .truth),
                Column("cost_nano_usd", .number, "cost"),
            ]
        case .day:
            [
                Column("day", .date), .named("key"), .named("upstream", "NULLIF(upstream, 0)"),
                .named("model", "NULLIF(model, 0)"),
            ]
                + ["requests", "failed", "cancelled", "rescued", "attempts", "retries"].map { Column($0, .number) }
                + Self.tokens + [
                    Column("cost_nano_usd", .number, "cost"), Column("retries_cost_nano_usd", .number, "retry_cost"),
                    Column("unknown_usage", .number), Column("estimated_usage", .number),
                    Column("unknown_cost", .number),
                    Column("first_token_ms", .microseconds, "first_token_sum / NULLIF(first_token_count, 0)"),
                    Column("first_tokens", .number, "first_token_count"),
                ]
        }
    }

    private static let tokens = SumTable.unknowns.map { Column("\($0)_tokens", .number, $0) }

    /// Requests or roll-ups a step; their attempts come with requests.
    static let step = 1000

    /// The columns before the members, by which the next step goes on.
    var placeCount: Int { self == .day ? 4 : 1 }

    /// A step's rows. Those of attempts are of the requests from one id to another (`lastOfStep`).
    var sql: String {
        let members = columns.map(\.sql).joined(separator: ", ")
        switch self {
        case .request:
            return "SELECT id, \(members) FROM request WHERE \(RequestCursor.condition) ORDER BY id LIMIT \(Self.step)"
        case .attempt:
            return """
                SELECT a.request, \(members) FROM every_attempt a WHERE a.request > ? AND a.request <= ?
                ORDER BY a.request, a.seq
                """
        case .day:
            return """
                SELECT day, key, upstream, model, \(members) FROM day
                WHERE day < ? AND (day, key, upstream, model) > (?, ?, ?, ?)
                ORDER BY day, key, upstream, model LIMIT \(Self.step)
                """
        }
    }

    /// The last request of a step; NULL when there is none any more.
    static let lastOfStep = """
        SELECT max(id) FROM (SELECT id FROM request WHERE \(RequestCursor.condition) ORDER BY id LIMIT \(step))
        """
}
