import GRDB
import ProxyAccounting

/// Puts a batch of entries into the tables, within the caller's transaction.
struct RowWriter {
    private static let requestColumns: Int32 = 51
    private static let attemptColumns: Int32 = 23
    private static let insertRequest = insert(into: "request", columns: requestColumns)
    private static let insertAttempt = insert(into: "attempt", columns: attemptColumns)

    private var names = NameTable()
    private var models = ModelNames()
    private var ids = RowID()
    private var refusals = RefusalBound()
    /// Refusals as they were before a transaction that may fail.
    private var refusalsBefore = RefusalBound()
    /// Some id had been taken: each is looked up before.
    private var isCareful = false

    enum Trouble: Error {
        /// An id is some other row's. The same batch is to be written again, and looks each id up.
        case takenID
    }

    /// After a transaction that failed.
    ///
    /// - Returns: what it failed of.
    mutating func forget(_ error: any Error) -> any Error {
        names.forget()
        models.forget()
        refusals = refusalsBefore
        guard !isCareful, (error as? DatabaseError)?.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY else {
            return error
        }
        isCareful = true
        return Trouble.takenID
    }

    /// Rows and roll-ups.
    ///
    /// - Returns: how many entries are counted in another one's row.
    mutating func write(_ batch: EntryBatch, _ db: Database) throws -> Int {
        guard !batch.isEmpty else { return 0 }
        refusalsBefore = refusals
        var work = Work(
            requests: RowBinder(try db.cachedStatement(sql: Self.insertRequest), textCount: 3),
            attempts: RowBinder(try db.cachedStatement(sql: Self.insertAttempt), textCount: 1))
        ids.begin()
        names.begin(batch.nameCount)
        try batch.visitInOrder { entry in try write(entry, &work, db) }
        isCareful = false
        for (row, count) in work.folded {
            try db.cachedStatement(sql: "UPDATE request SET times = times + ? WHERE id = ?")
                .execute(arguments: [count, row])
        }
        try SumTable.add(work.sums, db)
        return work.folded.values.reduce(0, +)
    }

    /// What a batch goes through.
    private struct Work: ~Copyable {
        var requests: RowBinder
        var attempts: RowBinder
        var sums = SumBook()
        /// How many are counted in rows, by their ids.
        var folded: [Int64: Int] = [:]
    }

    /// The names of an attempt.
    private struct AttemptNames {
        var upstream: Int64
        var model: Int64
        var outcome: Int64
    }

    private mutating func write(_ entry: RecordedEntry, _ work: inout Work, _ db: Database) throws {
        let facts = EntryFacts(entry)
        let at = entry.row.at.booked
        let hour = at / 3_600_000_000
        let key = try names.id(entry.row.key, of: entry, db)
        let error = try names.id(ifAny: entry.row.error, of: entry, db)
        var cell = SumCell(start: hour, key: key, upstream: 0, model: 0)
        if facts.isFailed {
            let upstream = try names.id(ifAny: entry.row.upstream, of: entry, db)
            work.sums.add(
                FailureCell(
                    start: hour, key: key, isRequest: true, error: error ?? -1, upstream: upstream ?? -1,
                    status: Int64(entry.row.status)), at: at)
        }
        if facts.isPlainRefusal {
            let cause = RefusalBound.Cause(key: key, error: error, status: entry.row.status)
            work.sums.add(cell) { $0.add(entry, facts) }
            if let row = refusals.row(for: cause, at: at) {
                work.folded[row, default: 0] += 1
                return
            }
            let id = try nextID(at, db)
            try insert(entry, id, cell, error, nil, isServed: false, &work.requests, db)
            refusals.wrote(id, for: cause, at: at)
            return
        }

        let id = try nextID(at, db)
        let count = entry.attemptCount
        var last: AttemptNames?
        for index in 0..<count {
            let found = try names(of: entry.attempt(index), entry, day: hour / SumBook.hoursADay, db)
            let isServed = index == facts.served
            if index == count - 1 {
                last = found
            } else {
                try insert(entry, id, index, found, isServed, &work.attempts, db)
                work.sums.add(SumCell(start: hour, key: key, upstream: found.upstream, model: found.model)) {
                    $0.add(entry.attempt(index), isRetry: !isServed)
                }
            }
            if !isServed {
                work.sums.add(
                    FailureCell(
                        start: hour, key: key, isRequest: false, error: found.outcome, upstream: found.upstream,
                        status: entry.attempt(index).status ?? -1), at: at)
            }
        }
        cell.upstream = try names.id(ifAny: entry.row.upstream, of: entry, db) ?? 0
        cell.model =
            if let served = entry.name(ifAny: entry.row.servedModel) {
                try models.id(served, isKnown: true, day: hour / SumBook.hoursADay, &names, db)
            } else { last?.model ?? 0 }
        let isServed = facts.served == count - 1
        try insert(entry, id, cell, error, last, isServed: isServed, &work.requests, db)
        if let last, last.upstream == cell.upstream, last.model == cell.model {
            work.sums.add(cell) {
                $0.add(entry, facts)
                $0.add(entry.attempt(count - 1), isRetry: !isServed)
            }
        } else {
            work.sums.add(cell) { $0.add(entry, facts) }
            guard let last else { return }
            work.sums.add(SumCell(start: hour, key: key, upstream: last.upstream, model: last.model)) {
                $0.add(entry.attempt(count - 1), isRetry: !isServed)
            }
        }
    }

    private mutating func nextID(_ at: Int64, _ db: Database) throws -> Int64 {
        guard isCareful else { return ids.next(at: at) }
        return try ids.free(near: at) { id in
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT id FROM request WHERE id = ?"), arguments: [id]) != nil
        }
    }

    private mutating func names(of attempt: AttemptRow, _ entry: RecordedEntry, day: Int64, _ db: Database) throws
        -> AttemptNames
    {
        AttemptNames(
            upstream: try names.id(attempt.upstream, of: entry, db),
            model: try models.id(
                entry.name(attempt.model), isKnown: entry.isModelKnown(attempt), day: day, &names, db),
            outcome: try names.id(attempt.outcome, of: entry, db))
    }

    // MARK: Rows

    private mutating func insert(
        _ entry: RecordedEntry, _ id: Int64, _ cell: SumCell, _ error: Int64?, _ last: AttemptNames?,
        isServed: Bool, _ row: inout RowBinder, _ db: Database
    ) throws {
        row.bind(id)
        row.bind(cell.key)
        row.bind(entry.row.upstream.isNone ? nil : cell.upstream)
        row.bind(cell.model)
        row.bind(entry.row.status)
        row.bind(error)
        row.bind(try names.id(ifAny: entry.row.rescuedFrom, of: entry, db))
        row.bind(entry.row.usage.truth.rawValue)
        row.bind(entry.row.cost?.booked)
        row.bind(entry.attemptCount)
        row.bind(1 as Int64)
        if let last {
            try bind(entry.attempt(entry.attemptCount - 1), of: entry, last, isServed, to: &row, db)
        } else {
            for _ in 0..<19 { row.bindNull() }
        }
        row.bind(try names.id(entry.row.dialect, of: entry, db))
        row.bind(try names.id(entry.row.endpoint, of: entry, db))
        row.bind(entry.row.servedModel.isNone ? nil : cell.model)
        row.bind(entry.row.isStreaming)
        row.bind(entry.row.wait.booked)
        row.bind(entry.row.firstToken?.booked)
        row.bind(entry.row.total.booked)
        row.bind(entry.row.usage.prompt?.booked)
        row.bind(entry.row.usage.completion?.booked)
        row.bind(entry.row.usage.cached?.booked)
        row.bind(entry.row.usage.reasoning?.booked)
        row.bind(entry.row.usage.charactersIn?.booked)
        row.bind(entry.row.usage.charactersOut?.booked)
        row.bind(entry.row.usage.cacheWrites?.booked)
        row.bind(try names.id(ifAny: entry.row.fallback, of: entry, db))
        row.bind(entry.row.chargedTokens.booked)
        row.bind(entry.row.chargedCost.booked)
        row.bind(entry.text(entry.row.id))
        row.bind(entry.name(ifAny: entry.row.model))
        row.bind(last.flatMap { _ in entry.text(ifAny: entry.attempt(entry.attemptCount - 1).opcRequestID) })
        if last == nil {
            row.bindNull()
        } else {
            row.bind(try names.id(ifAny: entry.attempt(entry.attemptCount - 1).candidates, of: entry, db))
        }
        if let events = entry.text(ifAny: entry.row.story) {
            try db.cachedStatement(sql: "INSERT INTO story VALUES (?, ?)")
                .execute(arguments: [id, String(decoding: events, as: UTF8.self)])
        }
        try row.run(parameters: Self.requestColumns, in: db)
    }

    /// An attempt, in its own row or in its request's, but for its text.
    private mutating func bind(
        _ attempt: AttemptRow, of entry: RecordedEntry, _ found: AttemptNames, _ isServed: Bool,
        to row: inout RowBinder,
        _ db: Database
    ) throws {
        row.bind(found.upstream)
        row.bind(found.model)
        row.bind(isServed)
        row.bind(attempt.firstToken?.booked)
        row.bind(found.outcome)
        row.bind(attempt.status)
        row.bind(attempt.usage.prompt?.booked)
        row.bind(attempt.usage.completion?.booked)
        row.bind(attempt.usage.cached?.booked)
        row.bind(attempt.usage.reasoning?.booked)
        row.bind(attempt.cost?.booked)
        row.bind(attempt.number)
        row.bind(attempt.at.booked)
        row.bind(try names.id(ifAny: attempt.region, of: entry, db))
        row.bind(attempt.total.booked)
        row.bind(attempt.usage.charactersIn?.booked)
        row.bind(attempt.usage.charactersOut?.booked)
        row.bind(attempt.usage.cacheWrites?.booked)
        row.bind(attempt.usage.truth.rawValue)
    }

    private mutating func insert(
        _ entry: RecordedEntry, _ request: Int64, _ index: Int, _ found: AttemptNames, _ isServed: Bool,
        _ row: inout RowBinder, _ db: Database
    ) throws {
        row.bind(request)
        row.bind(index)
        try bind(entry.attempt(index), of: entry, found, isServed, to: &row, db)
        row.bind(entry.text(ifAny: entry.attempt(index).opcRequestID))
        row.bind(try names.id(ifAny: entry.attempt(index).candidates, of: entry, db))
        try row.run(parameters: Self.attemptColumns, in: db)
    }

    private static func insert(into table: String, columns: Int32) -> String {
        let marks = Array(repeating: "?", count: Int(columns)).joined(separator: ",")
        return "INSERT INTO \(table) VALUES (\(marks))"
    }
}
