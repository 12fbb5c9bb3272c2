import Dispatch
import Foundation
import GRDB
import ProxyAccounting

/// Opens a directory's ledger: the lock, the file's soundness, the tables, the calendar.
struct LedgerOpening {
    struct Parts: Sendable {
        let lock: LedgerLock
        let writer: DatabaseQueue
        let reader: DatabaseQueue
        /// Of the file that both have, and of its log.
        let identity: FileIdentity?
        let logIdentity: FileIdentity?
    }

    private let options: SQLiteLedger.Options
    private let tuning: LedgerTuning
    private let file: LedgerFile

    init(_ options: SQLiteLedger.Options, _ tuning: LedgerTuning) {
        self.options = options
        self.tuning = tuning
        file = LedgerFile(directory: options.directory, tuning: tuning)
    }

    func open() throws -> Parts { try parts(lock()) }

    /// What is at the file's path now.
    var identity: FileIdentity? { FileIdentity(path: file.path) }
    private var logIdentity: FileIdentity? { FileIdentity(path: file.path + "-wal") }

    /// Takes the log of a file away that is not there any more. SQLite would take it for the log of what has come in its place, and mix both.
    ///
    /// - Parameter identity: the log's. Another one is not ours.
    func removeLog(_ identity: FileIdentity?) {
        guard identity != nil, identity == logIdentity else { return }
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
    }

    /// Opens what is at the file's path now, after somebody has removed or replaced it. The connections to what was there must be closed.
    func reopen(_ lock: LedgerLock) throws -> Parts {
        try file.makeDirectory()
        try lock.renew()
        let isGone = identity == nil
        let parts = try parts(lock)
        options.log(
            .error,
            "The ledger's file \(file.path) was \(isGone ? "removed" : "replaced") while it was in use. "
                + (isGone ? "A new one has begun" : "What is there now is used")
                + ": requests, budgets' counters and managed keys of before are not in it. Restart to go by what it says of keys "
                + "and budgets.")
        return parts
    }

    /// Waits for the lock as long as `lockPatience` says.
    func openPatiently() async throws -> Parts {
        let end = ContinuousClock.now + options.lockPatience
        var isTold = false
        while true {
            do {
                let lock = try lock()
                // A large file is looked at for some seconds.
                return try await withCheckedThrowingContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume(with: Result { try parts(lock) }) }
                }
            } catch let error as LedgerError where error.code == .inUse && ContinuousClock.now < end {
                if !isTold {
                    let seconds = options.lockPatience.components.seconds
                    options.log(.notice, "\(error.description) It is waited for, \(seconds) seconds at most.")
                    isTold = true
                }
                try await Task.sleep(for: tuning.lockInterval)
            }
        }
    }

    private func lock() throws -> LedgerLock {
        try file.makeDirectory()
        return try LedgerLock(directory: options.directory, path: file.lockPath)
    }

    private func parts(_ lock: LedgerLock) throws -> Parts {
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
        return Parts(lock: lock, writer: writer, reader: reader, identity: identity, logIdentity: logIdentity)
    }

    private func begin(anew reason: String) throws {
        guard !options.isGuest else {
            throw LedgerError(
                .damaged,
                "The ledger's file \(file.path) is damaged (\(reason)), and was not touched: restore a backup, or start the proxy, which "
                    + "moves the file aside and begins a new one without its keys and requests.")
        }
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
            if !options.isGuest {
                try queue.write { db in
                    try keepCalendar(db)
                    try keepOwner(db)
                }
            }
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

    /// Two configurations in one directory are seldom meant. A configuration that was moved is, so it is only told.
    private func keepOwner(_ db: Database) throws {
        guard let owner = options.owner else { return }
        let before = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'owner'")
        guard before != owner else { return }
        if let before {
            options.log(
                .warning,
                "The ledger in \(options.directory) was that of \(before), and is \(owner)'s from now on: requests, budgets and "
                    + "managed keys of both are in it. Unless the configuration was moved, give one of them another state_dir."
            )
        }
        try db.execute(sql: "INSERT OR REPLACE INTO meta(name, value) VALUES ('owner', ?)", arguments: [owner])
    }
}
