/// What is lost when the ledger is closed while its file cannot be written.
struct Leftover: Equatable {
    /// Requests without a row, of which nobody has been told.
    var rows = 0
    /// All requests without a row since the start, those among them.
    var rowsInAll = 0
    /// Requests that the counters of budgets on the disk do not have.
    var uncounted: Int64 = 0
    /// Stored Responses, and what was learnt.
    var kept = 0
    /// Documents that were to go and are there still.
    var forgotten = 0

    init() {}

    /// What waits in a box.
    init(_ notes: NoteBox) {
        for note in notes.all {
            if case .forgotten = note { forgotten += 1 } else { kept += 1 }
        }
    }

    /// - Returns: nil when nothing is lost.
    func words(because reason: String) -> String? {
        var parts: [String] = []
        if rows > 0 {
            parts.append("\(rows) requests have no row" + (rowsInAll > rows ? " (\(rowsInAll) since the start)" : ""))
        }
        if uncounted > 0 { parts.append("budgets do not count \(uncounted) requests from the next start on") }
        if kept > 0 { parts.append("\(kept) stored responses or other documents were not kept") }
        if forgotten > 0 {
            parts.append("\(forgotten) deleted documents are still in the file, and are there again after a start")
        }
        guard !parts.isEmpty else { return nil }
        return "The ledger was closed before all was written (\(reason)): \(parts.joined(separator: "; "))."
    }
}
