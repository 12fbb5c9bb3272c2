import Dispatch
import GRDB
package import ProxyAccounting

/// The ledger in a directory's `ociai-proxy.db`: SQLite with a log (WAL), written by one thread, read over another connection.
///
/// At SIGKILL what came in the last quarter of a second is lost; when the machine loses its power also the last transactions, but never the file.
package final class SQLiteLedger: Ledger {
    package struct Options: Sendable {
        /// On a local disk. It is made where it is missing.
        package var directory: String
        /// How long rows of requests and attempts are kept. Roll-ups stay.
        package var retention = Duration.seconds(90 * 86_400)
        /// The first second of the window's period that contains a moment (seconds since 1970), in the operator's time zone. It is called from
        /// any thread.
        package var periodStart: @Sendable (BudgetWindow, _ seconds: Int64) -> Int64
        /// The time zone's name. When it is another than at the last start, counters are sorted into the new zone's periods.
        package var calendarName: String
        /// Microseconds since 1970.
        package var wallClock: @Sendable () -> Int64
        /// Told what an operator must know, from any thread.
        package var log: @Sendable (LedgerNotice, String) -> Void

        package init(
            directory: String, calendarName: String, wallClock: @escaping @Sendable () -> Int64,
            periodStart: @escaping @Sendable (BudgetWindow, _ seconds: Int64) -> Int64,
            log: @escaping @Sendable (LedgerNotice, String) -> Void
        ) {
            self.directory = directory
            self.calendarName = calendarName
            self.wallClock = wallClock
            self.periodStart = periodStart
            self.log = log
        }
    }

    let options: Options
    let tuning: LedgerTuning
    let inbox: WriterInbox
    let reader: LedgerReader
    /// Answered when it is.
    private let closed: Reply<Void>

    private init(_ options: Options, _ tuning: LedgerTuning, _ parts: LedgerOpening.Parts) {
        self.options = options
        self.tuning = tuning
        reader = parts.reader
        inbox = WriterInbox(
            ring: EntryRing(capacity: tuning.capacity, wakeAt: tuning.wakeAt, periodStart: options.periodStart),
            notes: NoteBox(byteBound: tuning.documentBytes))
        let closed = Reply<Void>()
        self.closed = closed
        LedgerWriter.start(inbox, parts, options, tuning) {
            parts.lock.release()
            closed.answer(.success(()))
        }
    }

    deinit { inbox.stop() }

    /// Opens the ledger of a directory, or begins one.
    ///
    /// A damaged file is set aside, and told.
    /// - Throws: `LedgerError` when another process has it, when a newer version made it, or when it cannot be made, read or written.
    package static func open(_ options: Options) throws -> SQLiteLedger { try open(options, LedgerTuning()) }

    static func open(_ options: Options, _ tuning: LedgerTuning) throws -> SQLiteLedger {
        SQLiteLedger(options, tuning, try LedgerOpening(options, tuning).open())
    }

    package func record(_ entry: LedgerEntry) { if inbox.ring.record(entry) { inbox.wake() } }

    package var figures: LedgerFigures { inbox.ring.figures }

    package func remember(_ document: [UInt8], as name: String) {
        if !inbox.notes.put(.memory(document), as: .memory(name)) { inbox.ring.dropDocument() }
    }

    package func keep(_ document: StoredDocument) {
        if !inbox.notes.put(.document(document), as: .document(document.id)) { inbox.ring.dropDocument() }
    }

    package func forget(documents ids: [String]) {
        for id in ids where !inbox.notes.put(.forgotten, as: .document(id)) { inbox.ring.dropDocument() }
    }

    package func close(within limit: Duration) async {
        inbox.stop()
        let (inbox, closed) = (inbox, closed)
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) {
            guard !closed.isAnswered else { return }
            inbox.abandon()
            inbox.ring.abandon()
            closed.answer(.success(()))
        }
        try? await closed.value
    }
}
