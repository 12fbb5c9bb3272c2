import LedgerTestSupport
import ProxyAccounting

@testable import ProxyLedger

extension RecordedEntry {
    /// What it was made of.
    var entry: LedgerEntry { page.entry(row) }
}

extension EntryRing {
    func record(_ entry: LedgerEntry) -> Bool { record { $0.append(entry) } }
}
