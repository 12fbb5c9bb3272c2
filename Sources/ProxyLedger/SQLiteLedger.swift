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
        /// The bytes that the file may have. Beyond that its oldest rows go, whatever their age, and documents beyond half of it; roll-ups stay. The room
        /// they leave is used again, the file does not become smaller. The log beside it (WAL) comes on top, some 64 MB at most. Nil is no bound.
        package var maxSize: Int64? = 4 << 30
        /// The path of the configuration whose ledger this is. Another one than at the last start is allowed, and told.
        package var owner: String?
        /// How long to wait for a process that has it: one that is about to end. Only `open(patiently:)` does.
        package var lockPatience = Duration.zero
        /// Only for a moment, for what somebody wants to see or change: a damaged file is left as it is, and so is what the file says of its owner and
        /// time zone.
        package var isGuest = false
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
        reader = LedgerReader(parts.reader, limit: tuning.readLimit)
        inbox = WriterInbox(
            ring: EntryRing(capacity: tuning.capacity, wakeAt: tuning.wakeAt, periodStart: options.periodStart),
            notes: NoteBox(byteBound: tuning.documentBytes),
            pulse: WriterPulse(limit: tuning.standstill, clock: tuning.steadyClock))
        let closed = Reply<Void>()
        self.closed = closed
        LedgerWriter.start(inbox, parts, reader, options, tuning) {
            parts.lock.release()
            closed.answer(.success(()))
        }
    }

    deinit { inbox.stop() }

    /// Opens the ledger of a directory, or begins one.
    ///
    /// A damaged file is set aside, and told; a guest leaves it.
    /// - Throws: `LedgerError` when another process has it, when a newer version made it, or when it cannot be made, read or written.
    package static func open(_ options: Options) throws -> SQLiteLedger { try open(options, LedgerTuning()) }

    static func open(_ options: Options, _ tuning: LedgerTuning) throws -> SQLiteLedger {
        SQLiteLedger(options, tuning, try LedgerOpening(options, tuning).open())
    }

    /// Opens the ledger of a directory, and waits up to `lockPatience` for a process that still has it, as an older one has that drains while a newer one
    /// starts. It blocks no thread of the caller's.
    ///
    /// - Throws: as `open`, and `CancellationError`.
    package static func open(patiently options: Options) async throws -> SQLiteLedger {
        try await open(patiently: options, LedgerTuning())
    }

    static func open(patiently options: Options, _ tuning: LedgerTuning) async throws -> SQLiteLedger {
        SQLiteLedger(options, tuning, try await LedgerOpening(options, tuning).openPatiently())
    }

    package func record(_ write: (inout EntryPage) -> Void) { if inbox.ring.record(write) { inbox.wake() } }

    package var figures: LedgerFigures {
        var figures = inbox.ring.figures
        if figures.problem == nil, let standstill = inbox.pulse.standstill {
            figures.standstill = standstill
            figures.problem = "the ledger's file has not answered for \(standstill.components.seconds) s"
        }
        return figures
    }

    package func remember(_ document: [UInt8], as name: String) {
        if !inbox.notes.put(.memory(document), as: .memory(name)) { inbox.ring.dropDocument() }
    }

    package func keep(_ document: StoredDocument) {
        if !inbox.notes.put(.document(document), as: .document(document.id)) { inbox.ring.dropDocument() }
    }

    package func forget(documents ids: [String]) {
        for id in ids { _ = inbox.notes.put(.forgotten, as: .document(id)) }
    }

    package func close(within limit: Duration) async {
        inbox.stop()
        let (inbox, closed, log) = (inbox, closed, options.log)
        DispatchQueue.global().asyncAfter(deadline: .now() + limit / .seconds(1)) {
            guard !closed.isAnswered else { return }
            if let words = Self.abandon(inbox, after: limit) { log(.error, words) }
            closed.answer(.success(()))
        }
        try? await closed.value
    }

    /// Gives the writer up.
    ///
    /// - Returns: what is lost by that.
    private static func abandon(_ inbox: WriterInbox, after limit: Duration) -> String? {
        inbox.abandon()
        var left = Leftover(inbox.notes)
        let before = inbox.ring.figures.dropped
        inbox.ring.abandon()
        left.rowsInAll = inbox.ring.figures.dropped
        left.rows = left.rowsInAll - before
        left.uncounted = Int64(left.rows)
        return left.words(because: "its file has not answered within \(limit.inSeconds) s")
    }
}
