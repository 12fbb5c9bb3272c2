import GRDB
package import ProxyAccounting

/// Single requests: lists of them, and what became of one.
extension SQLiteLedger {
    package var recent: RecentEntries { inbox.recent }

    package func story(of id: String) async throws -> RequestStory? {
        if let story = inbox.recent.story(of: id) { return story }
        // The writer may be kept by a disk.
        let waiting = RecentEntries()
        for page in inbox.ring.waiting { waiting.keep(page) }
        if let story = waiting.story(of: id) { return story }
        guard let row = try await row(of: id) else { return nil }
        return try await reader.read { db in try StoryReader.story(row, db) }
    }

    /// Looks for a request by its id, from the newest on. There is no index for that, which would cost each request more than all of its row: an operator
    /// asks once in a while, and mostly for what is in memory.
    private func row(of id: String) async throws -> Int64? {
        var before = Int64.max
        while true {
            let last = before
            let step = try await reader.read { db in try StoryReader.find(id, before: last, db) }
            if let found = step.found { return found }
            guard let next = step.last else { return nil }
            before = next
        }
    }

    package func requests(_ search: RequestSearch) async throws -> RequestSearch.Page {
        // What has just ended is to be there.
        await flush(within: .seconds(2))
        var reading = RequestList(search)
        while !reading.isDone {
            let before = reading
            reading = try await reader.read { db in
                var next = before
                try next.step(db)
                return next
            }
        }
        return reading.page
    }
}

/// A request and its attempts, out of the tables.
private enum StoryReader {
    private static let step = 50_000

    /// - Returns: the row; else the id before which the next step goes on, or neither at the end.
    static func find(_ id: String, before: Int64, _ db: Database) throws -> (found: Int64?, last: Int64?) {
        let last = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM request WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?"),
            arguments: [before, step])
        let found = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT id FROM request WHERE id < ? AND id >= ? AND rid = ? ORDER BY id DESC LIMIT 1"),
            arguments: [before, last ?? Int64.min, id])
        return (found, last)
    }

    static func story(_ id: Int64, _ db: Database) throws -> RequestStory? {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT rid, \(RowID.at("r.id")) AS at, k.text AS key, d.text AS dialect, e.text AS endpoint, status,
                            model, s.text AS served, u.text AS upstream, x.text AS error, stream, wait, first_token, total,
                            prompt, completion, cached, reasoning, truth, cost, f.text AS rescued, b.text AS fallback,
                            (SELECT events FROM story WHERE request = r.id) AS events
                        FROM request r LEFT JOIN dim k ON k.id = r.key LEFT JOIN dim d ON d.id = dialect
                        LEFT JOIN dim e ON e.id = endpoint LEFT JOIN dim s ON s.id = served_model
                        LEFT JOIN dim u ON u.id = upstream LEFT JOIN dim x ON x.id = error
                        LEFT JOIN dim f ON f.id = rescued_from LEFT JOIN dim b ON b.id = fallback
                        WHERE r.id = ?
                        """), arguments: [id])
        else { return nil }
        var story = RequestStory(
            id: row["rid"], at: row["at"], key: row["key"] ?? "", dialect: row["dialect"] ?? "",
            endpoint: row["endpoint"] ?? "", status: row["status"])
        (story.model, story.servedModel, story.upstream) = (row["model"], row["served"], row["upstream"])
        (story.error, story.isStreaming) = (row["error"], row["stream"])
        (story.wait, story.firstToken, story.total) = (row["wait"], row["first_token"], row["total"])
        (story.usage, story.cost) = (usage(row), row["cost"])
        (story.rescuedFrom, story.fallback) = (row["rescued"], row["fallback"])
        story.events = (row["events"] as String?).map { Array($0.utf8) }
        story.attempts = try attempts(of: id, db)
        return story
    }

    private static func attempts(of id: Int64, _ db: Database) throws -> [RequestStory.Attempt] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT n, at, u.text AS upstream, m.text AS model, g.text AS region, o.text AS outcome, status,
                        opc_request_id, first_token, total, prompt, completion, cached, reasoning, truth, cost,
                        c.text AS candidates
                    FROM every_attempt a LEFT JOIN dim u ON u.id = upstream LEFT JOIN dim m ON m.id = model
                    LEFT JOIN dim g ON g.id = region LEFT JOIN dim o ON o.id = outcome
                    LEFT JOIN dim c ON c.id = candidates
                    WHERE request = ? ORDER BY seq
                    """), arguments: [id]
        ).map { row in
            var attempt = RequestStory.Attempt(
                number: row["n"], at: row["at"], upstream: row["upstream"] ?? "", model: row["model"] ?? "",
                outcome: row["outcome"] ?? "", total: row["total"])
            (attempt.region, attempt.status, attempt.opcRequestID) = (
                row["region"], row["status"], row["opc_request_id"]
            )
            (attempt.firstToken, attempt.usage, attempt.cost) = (row["first_token"], usage(row), row["cost"])
            attempt.candidates = row["candidates"]
            return attempt
        }
    }

    private static func usage(_ row: Row) -> LedgerUsage {
        var usage = LedgerUsage()
        (usage.prompt, usage.completion) = (row["prompt"], row["completion"])
        (usage.cached, usage.reasoning) = (row["cached"], row["reasoning"])
        usage.truth = UsageTruth(rawValue: row["truth"]) ?? .unknown
        return usage
    }
}

/// Requests, the newest first, read in steps: those that a filter leaves out are read too.
private struct RequestList: Sendable {
    /// Rows that a step looks at, and all steps of one answer. Beyond that the answer ends where it is, with a place to go on from.
    private static let step: Int64 = 20_000
    private static let most: Int64 = 400_000

    private let search: RequestSearch
    private let columns = LedgerExportOrder.Level.request.columns
    private let sql: String
    private let first: Int64
    private var before: Int64
    private var looked: Int64 = 0
    private(set) var page = RequestSearch.Page()
    private(set) var isDone = false

    init(_ search: RequestSearch) {
        self.search = search
        first = RowID.first(at: RequestCursor.microseconds(search.from))
        before = min(RowID.first(at: RequestCursor.microseconds(search.to)), search.before ?? .max)
        var conditions = ["id < ?", "id >= ?"]
        func name(_ column: String) -> String { "\(column) = (SELECT id FROM dim WHERE text = ?)" }
        if search.key != nil { conditions.append(name("key")) }
        if search.model != nil { conditions.append("(model = ? OR \(name("day_model")))") }
        if search.upstream != nil { conditions.append("(\(name("upstream")) OR \(name("last_upstream")))") }
        switch search.status {
        case .none: break
        case .ok: conditions.append("status < 400")
        case .failed: conditions.append("(status >= 400 OR error IS NOT NULL)")
        case .exactly: conditions.append("status = ?")
        }
        let members = LedgerExportOrder.Level.request.columns.map(\.sql).joined(separator: ", ")
        sql =
            "SELECT id, \(members) FROM request WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?"
    }

    mutating func step(_ db: Database) throws {
        let last = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT id FROM request WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT 1 OFFSET ?"),
            arguments: [before, first, Self.step - 1])
        var arguments: [(any DatabaseValueConvertible)?] = [before, last ?? first]
        if let key = search.key { arguments.append(key) }
        if let model = search.model { arguments += [model, model] }
        if let upstream = search.upstream { arguments += [upstream, upstream] }
        if case .exactly(let status) = search.status { arguments.append(status) }
        let wanted = search.limit - page.rows.count
        arguments.append(wanted)
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
        var count = 0
        while let row = try rows.next() {
            count += 1
            var text = ExportText(columns, .jsonl)
            text.row(row, from: LedgerExportOrder.Level.request.placeCount)
            page.rows.append(Array(text.bytes.dropLast()))
            before = row[0]
        }
        if count == wanted {
            page.next = before
            isDone = true
        } else if let last {
            before = last
            looked += Self.step
            if looked >= Self.most {
                page.next = before
                isDone = true
            }
        } else {
            isDone = true
        }
    }
}
