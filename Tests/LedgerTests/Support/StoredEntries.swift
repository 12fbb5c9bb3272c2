import GRDB
import LedgerTestSupport
import ProxyAccounting

/// Entries as the tables have them, read by statements that share nothing with the sources'.
enum StoredEntries {
    static func all(_ db: Database) throws -> [LedgerEntry] {
        let names = Dictionary(
            uniqueKeysWithValues: try Row.fetchAll(db, sql: "SELECT id, text FROM dim").map { row -> (Int64, String) in
                (row["id"], row["text"])
            })
        func name(_ row: Row, _ column: String) -> String? { (row[column] as Int64?).map { names[$0]! } }
        return try Row.fetchAll(db, sql: "SELECT * FROM request ORDER BY id").map { row in
            var entry = LedgerEntry(
                id: row["rid"], at: (row["id"] as Int64) >> 9, key: name(row, "key")!, dialect: name(row, "dialect")!,
                endpoint: name(row, "endpoint")!, status: row["status"])
            entry.model = row["model"]
            entry.servedModel = name(row, "served_model")
            entry.upstream = name(row, "upstream")
            entry.error = name(row, "error")
            entry.isStreaming = row["stream"]
            entry.wait = row["wait"]
            entry.firstToken = row["first_token"]
            entry.total = row["total"]
            entry.usage = usage(row)
            entry.cost = row["cost"]
            entry.rescuedFrom = name(row, "rescued_from")
            entry.fallback = name(row, "fallback")
            entry.chargedTokens = row["charged_tokens"]
            entry.chargedCost = row["charged_cost"]
            entry.attempts = try Row.fetchAll(
                db, sql: "SELECT * FROM every_attempt WHERE request = ? ORDER BY seq", arguments: [row["id"] as Int64]
            ).map { row in
                LedgerAttempt(
                    number: row["n"], at: row["at"], upstream: name(row, "upstream")!, model: name(row, "model")!,
                    isModelListed: true,
                    region: name(row, "region"), outcome: name(row, "outcome")!, status: row["status"],
                    opcRequestID: row["opc_request_id"], firstToken: row["first_token"], total: row["total"],
                    usage: usage(row), cost: row["cost"])
            }
            return entry
        }
    }

    private static func usage(_ row: Row) -> LedgerUsage {
        var usage = LedgerUsage()
        usage.truth = UsageTruth(rawValue: row["truth"])!
        usage.prompt = row["prompt"]
        usage.completion = row["completion"]
        usage.cached = row["cached"]
        usage.reasoning = row["reasoning"]
        usage.charactersIn = row["characters_in"]
        usage.charactersOut = row["characters_out"]
        usage.cacheWrites = row["cache_writes"]
        return usage
    }
}
