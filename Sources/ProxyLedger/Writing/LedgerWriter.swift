import Foundation
import GRDB
import ProxyAccounting

/// What the ledger's only writing thread does. A thread of its own, since a disk may keep it for as long as it likes.
struct LedgerWriter {
    private let inbox: WriterInbox
    private let lock: LedgerLock
    private let opening: LedgerOpening
    private var queue: DatabaseQueue
    /// Of the file that `queue` has; nil when it has none.
    private var identity: FileIdentity?
    private var logIdentity: FileIdentity?
    private let reader: LedgerReader
    private let options: SQLiteLedger.Options
    private let tuning: LedgerTuning
    private let finish: @Sendable () -> Void
    private var rows = RowWriter()
    private var backlog = EntryBatch()
    /// What keys are to be charged with, of rows that were lost.
    private var charges = CounterBook()
    private var telling: Telling
    private var upkeep: Upkeep
    private var isCheckpointDue = false
    private var quietTurns = 0

    /// - Parameter finish: called at the end, when the database has been closed.
    init(
        _ inbox: WriterInbox, _ parts: LedgerOpening.Parts, _ reader: LedgerReader, _ options: SQLiteLedger.Options,
        _ tuning: LedgerTuning,
        finish: @escaping @Sendable () -> Void
    ) {
        self.inbox = inbox
        lock = parts.lock
        queue = parts.writer
        identity = parts.identity
        logIdentity = parts.logIdentity
        opening = LedgerOpening(options, tuning)
        self.reader = reader
        self.options = options
        self.tuning = tuning
        self.finish = finish
        telling = Telling(options.log)
        upkeep = Upkeep(retention: options.retention, maxSize: options.maxSize)
    }

    static func start(
        _ inbox: WriterInbox, _ parts: LedgerOpening.Parts, _ reader: LedgerReader, _ options: SQLiteLedger.Options,
        _ tuning: LedgerTuning,
        finish: @escaping @Sendable () -> Void
    ) {
        let thread = Thread {
            WriterThread.settle()
            var writer = LedgerWriter(inbox, parts, reader, options, tuning, finish: finish)
            writer.run()
        }
        thread.start()
    }

    private mutating func run() {
        while !inbox.isStopping {
            inbox.wait(telling.isFailing ? tuning.intervalWhileFailing : tuning.interval)
            let isBusy = turn()
            if !inbox.isStopping { keepUp(isBusy) }
        }
        close()
    }

    /// - Returns: whether there was much to do.
    private mutating func turn(closing: Bool = false) -> Bool {
        // Before the ring is drained: a job stands behind all that was recorded before it.
        let jobs = inbox.takeJobs()
        inbox.ring.drain(into: &backlog, &charges, closing: closing)
        let count = backlog.count
        // Before they are written: who asks about one that has just ended may not wait for a disk.
        backlog.visitPages { inbox.recent.keep($0) }
        // What is left of lost rows goes alone, when there were no others to go with.
        if count == 0, !charges.isEmpty { write(EntryBatch()) }
        while !backlog.isEmpty { write(backlog.removeFirst(tuning.batch)) }
        writeNotes()
        for job in jobs { perform(job) }
        return count >= 64
    }

    // MARK: Rows

    /// What cannot be written is lost, but for what its keys are charged with.
    private mutating func write(_ batch: EntryBatch) {
        var book = CounterBook()
        batch.visit { book.charge($0.row, $0.name($0.row.key), options.periodStart) }
        book.merge(charges)
        let counters = book.folded(options.periodStart)
        var pauses = (telling.isFailing || inbox.isAbandoned ? [] : tuning.pauses)[...]
        while true {
            do {
                var folded = 0
                try transaction { writer, db in
                    folded = try writer.rows.write(batch, db)
                    try CounterTable.add(counters, db)
                    try writer.upkeep.look(db)
                }
                charges = CounterBook()
                inbox.ring.problem = nil
                inbox.ring.settle(written: batch.count, folded: folded)
                telling.succeeded()
                return
            } catch RowWriter.Trouble.takenID {
                continue
            } catch {
                if Self.mayPass(error), let pause = pauses.popFirst(), !inbox.isAbandoned {
                    sleep(pause)
                    continue
                }
                charges = book
                lost(batch.count, error)
                return
            }
        }
    }

    private mutating func lost(_ count: Int, _ error: any Error) {
        let words = LedgerFile.words(error)
        inbox.pulse.beat()
        inbox.ring.problem = words
        inbox.ring.settle(lost: count)
        telling.failed(words, lost: count, at: options.wallClock())
    }

    /// Whether the same could succeed later.
    private static func mayPass(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return true }
        switch error.resultCode {
        case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_RANGE, .SQLITE_TOOBIG, .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return false
        default: return true
        }
    }

    private func sleep(_ pause: Duration) {
        if let instead = tuning.pause { return instead(pause) }
        Thread.sleep(forTimeInterval: pause / .seconds(1))
    }

    private mutating func transaction(_ work: (inout LedgerWriter, Database) throws -> Void) throws {
        do {
            try tuning.beforeWrite?()
            if identity == nil || opening.identity != identity { try reopen() }
            try queue.writeWithoutTransaction { db in
                // One that a failing disk has left open.
                if db.isInsideTransaction { try db.rollback() }
                try db.inTransaction(.immediate) {
                    try work(&self, db)
                    return .commit
                }
            }
            isCheckpointDue = true
            inbox.pulse.beat()
        } catch {
            throw rows.forget(error)
        }
    }

    /// The file has been removed, or another one is in its place. SQLite would write on into what no path leads to.
    private mutating func reopen() throws {
        if identity != nil {
            identity = nil
            reader.close()
            try? queue.close()
            opening.removeLog(logIdentity)
        }
        // Names have other ids there.
        rows = RowWriter()
        let parts = try opening.reopen(lock)
        queue = parts.writer
        identity = parts.identity
        logIdentity = parts.logIdentity
        reader.replace(with: parts.reader)
    }

    // MARK: Notes and jobs

    private mutating func writeNotes() {
        // All that can wait at once, but no more: rows wait meanwhile.
        for _ in 0..<256 {
            let notes = inbox.notes.some()
            guard !notes.isEmpty else { return }
            let now = options.wallClock() / 1_000_000
            do {
                try transaction { _, db in try NoteTable.write(notes, at: now, db) }
                inbox.notes.remove(notes)
                inbox.ring.problem = nil
                telling.succeeded()
            } catch {
                // They stay where they are, for the next turn.
                lost(0, error)
                return
            }
        }
    }

    private mutating func perform(_ job: WriterInbox.Job) {
        switch job {
        case .write(let work, let failed):
            do { try transaction { _, db in try work(db) } } catch { failed(error) }
        case .flushed(let told): told()
        case .upkeep(let told):
            upkeep.begin()
            while doUpkeep() {}
            checkpoint()
            told()
        }
    }

    // MARK: Upkeep

    private mutating func keepUp(_ isBusy: Bool) {
        quietTurns = isBusy ? 0 : quietTurns + 1
        guard !telling.isFailing else { return }
        if tuning.keepsUp {
            // More than can come in meanwhile.
            for _ in 0..<4 where upkeep.isTooLarge { if !doUpkeep() { break } }
            if upkeep.isDue(at: options.wallClock(), isBusy: isBusy) { _ = doUpkeep() }
        }
        // Two seconds of little to do, with the usual interval.
        if quietTurns >= 8, isCheckpointDue { checkpoint() }
    }

    /// - Returns: whether there is more to do.
    private mutating func doUpkeep() -> Bool {
        let now = options.wallClock()
        do {
            var more = false
            try transaction { writer, db in more = try writer.upkeep.step(at: now, db) }
            if let words = upkeep.news(at: now) { options.log(.notice, words) }
            return more
        } catch {
            lost(0, error)
            upkeep.end(at: now)
            return false
        }
    }

    private mutating func checkpoint() {
        isCheckpointDue = false
        quietTurns = 0
        // A reader may be in the way: then the next one does it.
        _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }

    private mutating func close() {
        _ = turn(closing: true)
        // Jobs that came with the last breath.
        for job in inbox.takeJobs() { perform(job) }
        tellLeftover()
        // The reader first: the last connection takes the log's file away, and a reader cannot.
        reader.close()
        if !inbox.isAbandoned { checkpoint() }
        try? queue.close()
        inbox.pulse.end()
        finish()
    }

    /// Nobody waits for a better moment any more.
    private mutating func tellLeftover() {
        // Who has given the writer up has told of it.
        guard !inbox.isAbandoned else { return }
        var left = Leftover(inbox.notes)
        left.rows = telling.takeLost()
        left.rowsInAll = inbox.ring.figures.dropped
        left.uncounted = charges.requests
        let reason = inbox.ring.problem ?? "the disk has failed before"
        if let words = left.words(because: reason) { options.log(.error, words) }
    }
}
