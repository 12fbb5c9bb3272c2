import Dispatch
import GRDB
package import ProxyAccounting

/// What may wait for the disk.
extension SQLiteLedger {
    /// Counters on the disk, after all that has been recorded was written, as far as that works within some seconds.
    package func counters(at seconds: Int64) async throws -> [LedgerCounter] {
        await flush(within: .seconds(2))
        let periods = BudgetWindow.allCases.map { ($0, options.periodStart($0, seconds)) }
        return try await reader.read { db in try CounterTable.current(periods, db) }
    }

    package func lastUses() async throws -> [String: Int64] {
        try await reader.read { db in
            // Hours go with their rows, days stay longer.
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT text, max(start) FROM (
                        SELECT key, max(hour) * 3600 AS start FROM hour GROUP BY key
                        UNION ALL SELECT key, max(day) * 86400 FROM day GROUP BY key
                    ) JOIN dim ON dim.id = key GROUP BY key
                    """)
            return Dictionary(rows.map { ($0[0], $0[1]) }, uniquingKeysWith: max)
        }
    }

    package func keys() async throws -> [ManagedKey] {
        let log = options.log
        return try await reader.read { db in
            try KeyTable.all(db) { name in
                log(
                    .error,
                    "The limits of the key \(name) in the ledger are not understood: it is refused. Save its limits anew."
                )
            }
        }
    }

    package func save(_ key: ManagedKey, action: String, by actor: String) async throws {
        let now = options.wallClock() / 1_000_000
        try await perform("The key \(key.name)") { db in
            try KeyTable.save(key, action: action, by: actor, at: now, db)
        }
    }

    package func keyChanges(of name: String?, limit: Int) async throws -> [KeyChange] {
        try await reader.read { db in try KeyTable.changes(of: name, limit: limit, db) }
    }

    package func secret() async throws -> (secret: [UInt8], isNew: Bool) {
        try SecretFile(directory: options.directory).read()
    }

    package func memory(_ name: String) async throws -> [UInt8]? {
        if case .memory(let bytes) = inbox.notes[.memory(name)] { return bytes }
        return try await reader.read { db in try NoteTable.memory(name, db) }
    }

    package func responses(at seconds: Int64) async throws -> [StoredDocument] {
        // Before the disk is looked at: what is written meanwhile is in both.
        let waiting = inbox.notes.documents
        var found: [StoredDocument] = []
        while true {
            let last = found.last
            let step = try await reader.read { db in try NoteTable.documents(at: seconds, after: last, db) }
            found += step
            if step.count < NoteTable.step { break }
        }
        guard !waiting.isEmpty else { return found }
        found.removeAll { waiting[$0.id] != nil }
        found += waiting.values.compactMap(\.self).filter { $0.expires > seconds }
        return found.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    package func erase(documents ids: [String]) async throws {
        // Where the writer does not come to it in time, the notes are there for later.
        forget(documents: ids)
        do {
            try await perform("A deletion") { db in for id in ids { try NoteTable.forget(document: id, db) } }
        } catch {
            options.log(
                .warning,
                "\(error) A client has deleted a stored Response, and was told that it could be there again after a restart."
            )
            throw error
        }
    }

    package func report(_ question: LedgerQuestion) async throws -> LedgerTable {
        let (now, retention) = (options.wallClock(), options.retention)
        return try await reader.read { db in
            try LedgerReport(question, at: now, retention: retention, db).answer(db)
        }
    }

    package func export(_ order: LedgerExportOrder) throws -> any LedgerExport { SQLiteExport(order, reader) }

    package func reprice(
        since seconds: Int64, _ cost: @escaping @Sendable (UsedAttempt) -> NanoDollars?
    ) async throws -> Int {
        var repricing = Repricing(since: seconds)
        while !repricing.isDone {
            try Task.checkCancellation()
            let before = repricing
            repricing = try await perform("A step of repricing") { db in
                var next = before
                try next.step(cost, db)
                return next
            }
        }
        return repricing.changed
    }

    /// Waits until everything that was given before is written or lost.
    func flush(within limit: Duration = .seconds(600)) async {
        let reply = Reply<Void>()
        guard inbox.put(.flushed { reply.answer(.success(())) }) else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) { reply.answer(.success(())) }
        try? await reply.value
    }

    /// Lets go of all that is too old, now.
    func keepUp() async {
        let reply = Reply<Void>()
        guard inbox.put(.upkeep { reply.answer(.success(())) }) else { return }
        try? await reply.value
    }

    /// Has the writer do something in a transaction, and waits for its commit.
    ///
    /// - Throws: `LedgerError`; when the writer is stuck, after `tuning.patience`. What had not begun by then is not done.
    private func perform<Value: Sendable>(
        _ what: String, _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let reply = Reply<Value>()
        let path = options.directory
        let job = WriterInbox.Job.write(
            { db in
                guard !reply.isAnswered else { return }
                let value = try work(db)
                db.afterNextTransaction(onCommit: { _ in reply.answer(.success(value)) })
            },
            failed: { error in
                reply.answer(
                    .failure(
                        error is LedgerError
                            ? error
                            : LedgerError(
                                .unusable,
                                "\(what) was not written to the ledger in \(path) (\(LedgerFile.words(error))).")))
            })
        guard inbox.put(job) else { throw LedgerError.closed }
        let limit = tuning.patience
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) {
            reply.answer(
                .failure(
                    LedgerError(
                        .tooSlow,
                        "\(what) was not written within \(limit.inSeconds) seconds: the disk of the ledger in \(path) does not "
                            + "answer. Look after it, see whether it was written after all, and try again.")))
        }
        return try await reply.value
    }
}
