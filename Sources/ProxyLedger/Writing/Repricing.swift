import GRDB
import ProxyAccounting

/// Works out costs anew, step by step: those of attempts, of their requests, and in the roll-ups by what has changed, so that days whose rows
/// are partly gone stay right.
struct Repricing: Sendable {
    typealias Price = @Sendable (UsedAttempt) -> NanoDollars?

    /// The last request that has been seen.
    private(set) var cursor: RequestCursor
    private(set) var changed = 0
    private(set) var isDone = false

    private static let attemptsAStep = 1000

    init(since seconds: Int64) { cursor = RequestCursor(from: seconds, to: .max) }

    mutating func step(_ price: Price, _ db: Database) throws {
        let rows = try Row.fetchCursor(
            db,
            sql:
                "SELECT id, key, model, served_model, fallback, upstream, day_model, status, cost, attempts FROM request "
                + "WHERE \(RequestCursor.condition) ORDER BY id LIMIT \(Self.attemptsAStep)",
            arguments: cursor.arguments)
        var requests: [Row] = []
        var attempts = 0
        isDone = true
        while let row = try rows.next() {
            let count: Int = row["attempts"]
            if attempts > 0, attempts + count > Self.attemptsAStep {
                isDone = false
                break
            }
            attempts += count
            requests.append(row.copy())
        }
        isDone = isDone && requests.count < Self.attemptsAStep
        for request in requests {
            try reprice(request, price, db)
            cursor.pass(request["id"])
        }
    }

    private mutating func reprice(_ request: Row, _ price: Price, _ db: Database) throws {
        let id: Int64 = request["id"]
        let count: Int64 = request["attempts"]
        guard count > 0 else { return }
        var cell = SumCell(start: id >> RowID.bits / 3_600_000_000, key: request["key"], upstream: 0, model: 0)
        let attempts = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT a.*, m.text AS model_text, u.text AS upstream_text FROM every_attempt a
                    JOIN dim m ON m.id = a.model JOIN dim u ON u.id = a.upstream WHERE request = ? ORDER BY seq
                    """), arguments: [id])
        var total: NanoDollars? = 0
        var isChanged = false
        for attempt in attempts {
            let usage = LedgerUsage(attempt)
            let isServed: Bool = attempt["served"]
            let old: NanoDollars? = attempt["cost"]
            // A name that clients use has no say in the price of what stood in for its model.
            let isStandIn = request["fallback"] != nil && attempt["model"] as Int64? == request["served_model"]
            let used = UsedAttempt(
                asked: isStandIn ? nil : request["model"], model: attempt["model_text"],
                upstream: attempt["upstream_text"], usage: usage)
            // What nobody has counted has no price: its cost stays as it was.
            let new = usage.truth == .unknown ? old : price(used)?.booked
            if let new { total?.addSaturating(new) } else if isServed || usage.hasUsed { total = nil }
            guard new != old else { continue }
            changed += 1
            isChanged = true
            let seq: Int64 = attempt["seq"]
            if seq == count - 1 {
                try db.cachedStatement(sql: "UPDATE request SET last_cost = ? WHERE id = ?").execute(arguments: [
                    new, id,
                ])
            } else {
                try db.cachedStatement(sql: "UPDATE attempt SET cost = ? WHERE request = ? AND seq = ?")
                    .execute(arguments: [new, id, seq])
            }
            cell.upstream = attempt["upstream"]
            cell.model = attempt["model"]
            var change = CostChange()
            change.priced = (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
            change.cost = (new ?? 0) - (old ?? 0)
            change.retryCost = isServed ? 0 : change.cost
            try SumTable.reprice(cell, change, db)
        }
        if isChanged { try update(request, id, total, cell, db) }
    }

    private func update(_ request: Row, _ id: Int64, _ total: NanoDollars?, _ cell: SumCell, _ db: Database) throws {
        let old: NanoDollars? = request["cost"]
        guard total != old else { return }
        try db.cachedStatement(sql: "UPDATE request SET cost = ? WHERE id = ?").execute(arguments: [total, id])
        let status: Int = request["status"]
        guard status < 400 || status == EntryFacts.clientLeft, (total == nil) != (old == nil) else { return }
        var cell = cell
        cell.upstream = request["upstream"] ?? 0
        cell.model = request["day_model"]
        var change = CostChange()
        change.unknownCost = total == nil ? 1 : -1
        try SumTable.reprice(cell, change, db)
    }
}

extension LedgerUsage {
    /// As a row of `request` or `attempt` has it.
    init(_ row: Row) {
        self.init()
        truth = UsageTruth(rawValue: row["truth"]) ?? .unknown
        prompt = row["prompt"]
        completion = row["completion"]
        cached = row["cached"]
        cacheWrites = row["cache_writes"]
        reasoning = row["reasoning"]
        charactersIn = row["characters_in"]
        charactersOut = row["characters_out"]
    }

    fileprivate var hasUsed: Bool {
        [prompt, completion, charactersIn, charactersOut].contains { ($0 ?? 0) > 0 }
    }
}
