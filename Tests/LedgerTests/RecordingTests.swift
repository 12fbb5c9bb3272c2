import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct RecordingTests {
    private let harness = LedgerHarness()

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `Every member of an entry and its attempts comes back`(seed: UInt64) async throws {
        let ledger = try harness.open()
        var random = RandomEntries(seed: seed)
        let entries = random.next(300)
        entries.forEach(ledger.record)
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.written == 300)
        let stored = try harness.look(StoredEntries.all)
        #expect(stored.sorted(by: order) == entries.sorted(by: order))
    }

    private func order(_ left: LedgerEntry, _ right: LedgerEntry) -> Bool { (left.at, left.id) < (right.at, right.id) }

    @Test func `What is not known is NULL and never 0`() async throws {
        let ledger = try harness.open()
        var entry = LedgerEntry(id: "r", at: 0, key: "k", dialect: "chat", endpoint: "e", status: 200)
        entry.attempts = [LedgerAttempt(number: 1, at: 0, upstream: "u", model: "m", outcome: "succeeded", total: 1)]
        ledger.record(entry)
        await ledger.close(within: .seconds(600))
        try harness.look { db in
            for table in ["request", "every_attempt", "hour", "day"] {
                let isNull =
                    "prompt IS NULL AND completion IS NULL AND cached IS NULL AND reasoning IS NULL AND cost IS NULL"
                let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table) WHERE \(isNull)")
                let all = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)")
                #expect(count == all && all! > 0, "\(table)")
            }
        }
    }

    @Test func `A text with NUL and an endless one are kept as far as SQLite can give them back`() async throws {
        let ledger = try harness.open()
        var entry = LedgerEntry.sample("a\0b")
        entry.model = String(repeating: "é", count: 5000)
        entry.dialect = "x\0"
        ledger.record(entry)
        await ledger.close(within: .seconds(600))
        let stored = try #require(try harness.look(StoredEntries.all).first)
        #expect(stored.id == "a\u{FFFD}b")
        #expect(stored.dialect == "x\u{FFFD}")
        #expect(stored.model == String(repeating: "é", count: 128))
    }

    @Test func `Numbers without sense neither crash nor lose the rest of the batch`() async throws {
        let ledger = try harness.open()
        for number in [Int64.min, -1, .max] {
            var entry = LedgerEntry.sample("\(number)", tokens: 1)
            entry.at = number
            entry.chargedTokens = number
            entry.chargedCost = number
            entry.cost = number
            entry.usage.prompt = number
            entry.attempts[0].cost = number
            entry.attempts[0].firstToken = number
            entry.attempts[0].number = .max
            ledger.record(entry)
        }
        ledger.record(.sample("sound"))
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.written == 4)
        #expect(ledger.figures.problem == nil)
    }

    @Test func `The file is in WAL mode, for its owner alone, and has no log left after closing`() async throws {
        let ledger = try harness.open()
        ledger.record(.sample())
        await ledger.flush()
        for file in ["ociai-proxy.db", "ociai-proxy.db-wal", "ociai-proxy.db-shm", "ociai-proxy.lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: harness.directory + "/" + file)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
        let mode = try harness.look { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") }
        #expect(mode == "wal")
        await ledger.close(within: .seconds(600))
        #expect(harness.files == ["ociai-proxy.db", "ociai-proxy.lock"])
    }

    @Test func `Many threads record at once and nothing is lost`() async throws {
        let ledger = try harness.open { $0.wakeAt = 64 }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for number in 0..<500 { ledger.record(.sample("\(task)-\(number)")) } }
            }
        }
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.written == 4000)
        #expect(ledger.figures.dropped == 0)
        let ids = try harness.look { db in try Int.fetchOne(db, sql: "SELECT count(DISTINCT rid) FROM request") }
        #expect(ids == 4000)
    }

    @Test func `Entries are written without anybody asking`() async throws {
        let (writes, write) = AsyncStream<Void>.makeStream()
        var tuning = LedgerTuning()
        tuning.keepsUp = false
        tuning.beforeWrite = { write.yield() }
        let ledger = try SQLiteLedger.open(harness.options(), tuning)
        ledger.record(.sample())
        var writing = writes.makeAsyncIterator()
        await writing.next()
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.written == 1)
    }

    @Test func `So many that a batch is full are written before their time`() async throws {
        let (writes, write) = AsyncStream<Void>.makeStream()
        let ledger = try harness.open {
            $0.wakeAt = 512
            $0.beforeWrite = { write.yield() }
        }
        for number in 0..<512 { ledger.record(.sample("\(number)")) }
        var writing = writes.makeAsyncIterator()
        await writing.next()
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.written == 512)
    }

    @Test func `What is recorded after closing is counted as dropped`() async throws {
        let ledger = try harness.open()
        await ledger.close(within: .seconds(600))
        ledger.record(.sample())
        #expect(ledger.figures.dropped == 1)
        #expect(ledger.figures.pending == 0)
        await ledger.close(within: .seconds(600))
        await #expect(throws: LedgerError.closed) { try await ledger.keys() }
        await #expect(throws: LedgerError.closed) {
            try await ledger.save(
                ManagedKey(name: "n", digest: [1], prefix: "p", created: 0, limits: KeyLimits()), action: "create",
                by: "t")
        }
    }
}
