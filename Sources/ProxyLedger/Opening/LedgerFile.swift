import Foundation
import GRDB

/// The database's file: where it is, whether it is sound, and how connections to it are made.
struct LedgerFile {
    let directory: String
    let tuning: LedgerTuning

    var path: String { directory + "/ociai-proxy.db" }
    var lockPath: String { directory + "/ociai-proxy.lock" }

    /// What a look into the file says.
    enum Condition: Equatable {
        /// - Parameter complete: false when there was no time to check all of it.
        case sound(complete: Bool)
        case damaged(String)
    }

    /// Makes the directory (for its owner alone) where it is missing.
    func makeDirectory() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw LedgerError(
                .unusable,
                "The directory \(directory) of the ledger cannot be made (\(Self.words(error))): make it, writable for this "
                    + "user, or set another state_dir.")
        }
    }

    /// Makes the file where it is missing, for its owner alone; SQLite gives its neighbours the same mode.
    ///
    /// It is made before SQLite opens it: closing a descriptor of it afterwards would drop SQLite's locks.
    ///
    /// - Throws: `LedgerError`, also when it or one of its neighbours is no file: SQLite would wait for a named pipe's other end.
    func makeFile() throws {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            try FilePlace(title: "The ledger's file", path: path + suffix).demand()
        }
        let files = FileManager.default
        if !files.fileExists(atPath: path),
            !files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        {
            throw LedgerError(
                .unusable,
                "The ledger's file \(path) cannot be made (\(SystemError.current)): make its directory writable for this "
                    + "user, or set another state_dir.")
        }
        try? files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Looks whether the file is a sound database of ours, over a connection that cannot change it.
    ///
    /// The tables that matter most come first. A file that is too large for the time that the check may take counts as sound as far as it was read.
    ///
    /// - Throws: `LedgerError` for a file of a newer version or of another program, and when it cannot be read.
    func check() throws -> Condition {
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration(readOnly: true))
            defer { try? queue.close() }
            let limit = StepLimit(queue, tuning.checkLimit)
            return try queue.unsafeRead { db in
                try checkOwner(db)
                let tables = Set(try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'"))
                let first = ["key", "former_key", "counter", "meta", "memory"].filter(tables.contains)
                do {
                    return try limit.during {
                        for check in first.map({ "PRAGMA quick_check('\($0)')" }) + ["PRAGMA quick_check(1)"] {
                            let found = try String.fetchOne(db, sql: check) ?? "nothing"
                            if found != "ok" { return .damaged(found) }
                        }
                        return .sound(complete: true)
                    }
                } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
                    return .sound(complete: false)
                }
            }
        } catch let error as DatabaseError where Self.isDamage(error) {
            return .damaged(error.message ?? "\(error.resultCode)")
        } catch let error as DatabaseError {
            throw unusable(error)
        }
    }

    private func checkOwner(_ db: Database) throws {
        guard try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0 > 0 else { return }
        guard try Int64.fetchOne(db, sql: "PRAGMA application_id") == LedgerSchema.applicationID else {
            throw LedgerError(
                .foreign,
                "\(path) is a database of another program, and was not touched: move it away, or set another state_dir."
            )
        }
        if try LedgerSchema.migrator.hasBeenSuperseded(db) {
            throw LedgerError(
                .newer,
                "\(path) was made by a newer version of ociai-proxy, and was not touched: start that version, or set another "
                    + "state_dir.")
        }
    }

    /// Moves a damaged file and its neighbours out of the way.
    ///
    /// - Returns: its new path.
    func setAside(at seconds: Int64) throws -> String {
        let files = FileManager.default
        let stamp = Timestamp.compact(seconds)
        var target = "\(path).damaged-\(stamp)"
        var number = 2
        while files.fileExists(atPath: target) {
            target = "\(path).damaged-\(stamp)-\(number)"
            number += 1
        }
        do {
            try files.moveItem(atPath: path, toPath: target)
            for suffix in ["-wal", "-shm"] where files.fileExists(atPath: path + suffix) {
                try files.moveItem(atPath: path + suffix, toPath: target + suffix)
            }
        } catch {
            throw LedgerError(
                .unusable,
                "The ledger's file \(path) is damaged and cannot be renamed (\(Self.words(error))): make its directory "
                    + "writable for this user, or move it away.")
        }
        return target
    }

    func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(tuning.busyTimeout / .seconds(1))
        // A disk that fails may fail at the rollback too: GRDB must not end the process for that.
        configuration.allowsUnsafeTransactions = true
        configuration.label = readOnly ? "ledger.reader" : "ledger.writer"
        if !readOnly {
            let pages = tuning.maxPages
            configuration.prepareDatabase { db in
                if let pages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
                try db.execute(
                    sql: """
                        PRAGMA journal_mode = WAL;
                        PRAGMA synchronous = NORMAL;
                        PRAGMA journal_size_limit = \(64 << 20);
                        PRAGMA wal_autocheckpoint = 4000;
                        """)
            }
        }
        return configuration
    }

    func unusable(_ error: DatabaseError) -> LedgerError {
        let mend =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another program has it locked; end that one"
            case .SQLITE_FULL: "the disk is full; make room"
            default: "make the file and its directory writable for this user, or set another state_dir"
            }
        return LedgerError(.unusable, "The ledger's file \(path) cannot be opened (\(Self.words(error))): \(mend).")
    }

    static func isDamage(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }

    /// An error in words that hold nothing of what was written.
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as DatabaseError: error.message ?? "\(error.resultCode)"
        case let error as CocoaError: error.localizedDescription
        default: "\(error)"
        }
    }
}
