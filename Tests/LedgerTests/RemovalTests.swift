import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct RemovalTests {
    private let harness = LedgerHarness()

    enum Removal: CaseIterable { case file, fileAndLog, directory, replaced }

    @Test(arguments: Removal.allCases)
    func `A file that is removed or replaced is noticed, and another one is written`(removal: Removal) async throws {
        let ledger = try harness.open()
        ledger.record(.sample("before", key: "gone"))
        await ledger.flush()
        let files = FileManager.default
        switch removal {
        case .file: try files.removeItem(atPath: harness.path)
        case .fileAndLog:
            for suffix in ["", "-wal", "-shm"] { try files.removeItem(atPath: harness.path + suffix) }
        case .directory: try files.removeItem(atPath: harness.directory)
        case .replaced:
            // A backup that somebody restores while it runs.
            let backup = LedgerHarness()
            let other = try backup.open()
            other.record(.sample("of the backup"))
            await other.close(within: .seconds(600))
            try files.removeItem(atPath: harness.path)
            try files.moveItem(atPath: backup.path, toPath: harness.path)
        }
        for number in 0..<20 { ledger.record(.sample("after \(number)", key: "key-\(number)")) }
        await ledger.flush()
        #expect(ledger.figures.written == 21 && ledger.figures.dropped == 0)
        #expect(harness.words.count == 1)
        #expect(harness.words.first?.contains(removal == .replaced ? "replaced" : "removed") == true)
        let keys = try await ledger.report(LedgerQuestion(.keys, from: 0, to: .max, key: "key-7"))
        #expect(keys.rows.map { $0[0] } == [.text("key-7")])
        let (code, words) = await OpeningTests.code { try harness.open() }
        #expect(code == .inUse, "the lock is kept: \(words)")
        await ledger.close(within: .seconds(600))
        let stored = try harness.look(StoredEntries.all).map(\.id)
        #expect(stored == (removal == .replaced ? ["of the backup"] : []) + (0..<20).map { "after \($0)" })
        #expect(try harness.look { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }

    @Test func `While no file can be made in the place of a removed one, rows are lost and counted`() async throws {
        let ledger = try harness.open { $0.pauses = [.zero] }
        ledger.record(.sample("before"))
        await ledger.flush()
        let files = FileManager.default
        try files.removeItem(atPath: harness.directory)
        try Data("in the way".utf8).write(to: URL(fileURLWithPath: harness.directory))
        for number in 0..<10 { ledger.record(.sample("\(number)")) }
        await ledger.flush()
        #expect(ledger.figures.dropped == 10)
        #expect(ledger.figures.problem?.contains(harness.directory) == true)
        await #expect(throws: LedgerError.self) { try await ledger.report(LedgerQuestion(.summary, from: 0, to: .max)) }
        try files.removeItem(atPath: harness.directory)
        ledger.record(.sample("after"))
        await ledger.flush()
        #expect(ledger.figures.written == 2)
        #expect(try await ledger.counters(at: LedgerHarness.noon).map(\.requests) == [11, 11, 11, 11, 11])
        await ledger.close(within: .seconds(600))
    }
}
