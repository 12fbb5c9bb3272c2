import GRDB
import ProxyAccounting

/// Opens a directory's ledger: the lock, the file's soundness, the tables, the calendar.
struct LedgerOpening {
    struct Parts {
        let lock: LedgerLock
        let writer: DatabaseQueue
        let reader: LedgerReader
    }

    private let options: SQLiteLedger.Options
    private let tuning: LedgerTuning
    private let file: LedgerFile

    init(_ options: SQLiteLedger.Options, _ tuning: LedgerTuning) {
        self.options = options
        self.tuning = tuning
        file = LedgerFile(directory: options.directory, tuning: tuning)
    }

    func open() throws -> Parts {
        try file.makeDirectory()
        let lock = try LedgerLock(directory: options.directory, path: file.lockPath)
        try file.makeFile()
        switch try file.check() {
        case .sound(complete: true): break
        case .sound(complete: false):
            options.log(
                .notice,
                "The ledger's file \(file.path) is large: it was checked in part, its most important tables first.")
        case .damaged(let reason): try begin(anew: reason)
        }
        let writer: DatabaseQueue
        do {
            writer = try prepared()
        } catch let error as DatabaseError where LedgerFile.isDamage(error) {
            try begin(anew: LedgerFile.words(error))
            writer = try explained { try prepared() }
        } catch let error as DatabaseError {
            throw file.unusable(error)
        }
        let reader = try explained {
            try DatabaseQueue(path: file.path, configuration: file.configuration(readOnly: true))
        }
        return Parts(lock: lock, writer: writer, reader: LedgerReader(reader, limit: tuning.readLimit))
    }

    private func begin(anew reason: String) throws {
        let aside = try file.setAside(at: options.wallClock() / 1_000_000)
        try file.makeFile()
        options.log(
            .error,
            "The ledger's file was damaged (\(reason)). It was moved to \(aside), and a new one has begun: requests, budgets' "
                + "counters and managed keys of before are not in it.")
    }

    private func explained<Value>(_ work: () throws -> Value) throws -> Value {
        do { return try work() } catch let error as DatabaseError { throw file.unusable(error) }
    }

    private func prepared() throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: file.path, configuration: file.configuration(readOnly: false))
        do {
            try LedgerSchema.migrator.migrate(queue)
            try queue.write { db in try keepCalendar(db) }
            return queue
        } catch {
            try? queue.close()
            throw error
        }
    }

    /// Counters of another time zone's periods would be none of today's.
    private func keepCalendar(_ db: Database) throws {
        let before = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'calendar'")
        if let before, before != options.calendarName {
            try CounterTable.rebuild(options.periodStart, db)
            options.log(
                .notice, "The time zone is \(options.calendarName), and was \(before): the budgets' counters follow it."
            )
        }
        // Written at each start, so that a file that cannot be written is known now.
        try db.execute(
            sql: "INSERT OR REPLACE INTO meta(name, value) VALUES ('calendar', ?)", arguments: [options.calendarName])
    }
}
