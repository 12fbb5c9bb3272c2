import Dispatch
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct TroubleTests {
    private let harness = LedgerHarness()

    /// Throws as often as it is told to.
    private final class Disk: Sendable {
        let failures: Mutex<Int>
        let tries = Mutex(0)
        let error: DatabaseError
        init(_ failures: Int, _ code: ResultCode = .SQLITE_FULL) {
            self.failures = Mutex(failures)
            error = DatabaseError(resultCode: code)
        }
        func write() throws {
            tries.withLock { $0 += 1 }
            let fails = failures.withLock { failures in
                failures -= 1
                return failures >= 0
            }
            if fails { throw error }
        }
    }

    @Test func `A full disk costs rows, which are counted and told once, and no charge`() async throws {
        let disk = Disk(.max)
        let ledger = try harness.open { $0.beforeWrite = disk.write }
        for round in 0..<5 {
            for number in 0..<10 { ledger.record(.sample("\(round)-\(number)")) }
            await ledger.flush()
        }
        #expect(ledger.figures.dropped == 50)
        #expect(ledger.figures.pending == 0)
        #expect(ledger.figures.problem != nil)
        #expect(harness.words.count == 1)
        disk.failures.withLock { $0 = 0 }
        ledger.record(.sample("after"))
        await ledger.flush()
        #expect(ledger.figures.written == 1)
        #expect(ledger.figures.problem == nil)
        #expect(harness.words.last?.contains("again") == true)
        let counters = try await ledger.counters(at: LedgerHarness.noon)
        #expect(counters.map(\.requests) == [51, 51, 51, 51, 51])
        #expect(counters.map(\.cost) == Array(repeating: 51 * 5000, count: 5))
        await ledger.close(within: .seconds(600))
    }

    @Test func `Trouble is told at most once a minute`() async throws {
        let ledger = try harness.open { $0.beforeWrite = { throw DatabaseError(resultCode: .SQLITE_IOERR) } }
        for second in 0..<150 {
            harness.set(seconds: LedgerHarness.noon + Int64(second))
            ledger.record(.sample("\(second)"))
            await ledger.flush()
        }
        #expect(harness.words.count == 3)
        #expect(harness.words[1].contains(": 60 requests"))
        await ledger.close(within: .seconds(600))
    }

    @Test func `A disk that fails for a moment costs nothing`() async throws {
        let disk = Disk(3, .SQLITE_BUSY)
        let ledger = try harness.open { $0.beforeWrite = disk.write }
        ledger.record(.sample())
        await ledger.flush()
        #expect(disk.tries.withLock { $0 } == 4)
        #expect(ledger.figures.written == 1)
        #expect(harness.words.isEmpty)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A failure that no patience mends is not tried again`() async throws {
        let disk = Disk(1, .SQLITE_CORRUPT)
        let ledger = try harness.open { $0.beforeWrite = disk.write }
        ledger.record(.sample())
        await ledger.flush()
        #expect(ledger.figures.dropped == 1)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A file that may not grow costs rows, and reading goes on`() async throws {
        let ledger = try harness.open { $0.maxPages = 120 }
        var random = RandomEntries(seed: 5)
        for _ in 0..<30 {
            random.next(100).forEach(ledger.record)
            await ledger.flush()
        }
        let figures = ledger.figures
        #expect(figures.written > 100 && figures.dropped > 100)
        #expect(figures.written + figures.dropped == 3000)
        #expect(figures.problem?.contains("full") == true)
        let table = try await ledger.report(LedgerQuestion(.summary, from: 0, to: .max))
        #expect(table.rows[0][0] == .integer(Int64(figures.written)))
        await ledger.close(within: .seconds(600))
        let counts = try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request") }
        #expect(counts == figures.written)
    }

    @Test func `Somebody who locks the file is waited for, and rows are written when he is gone`() async throws {
        let other = Box()
        let ledger = try harness.open {
            $0.busyTimeout = .milliseconds(5)
            $0.pauses = [.zero, .zero]
            let tries = Mutex(0)
            $0.pause = { _ in
                let count = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                if count == 2 { other.execute("ROLLBACK") }
            }
        }
        other.set(try harness.unruly())
        other.execute("BEGIN EXCLUSIVE")
        ledger.record(.sample())
        await ledger.flush()
        #expect(ledger.figures.written == 1)
        other.close()
        await ledger.close(within: .seconds(600))
    }

    @Test func `Somebody who keeps the file locked costs rows and no charge, and it goes on when he is gone`()
        async throws
    {
        let ledger = try harness.open {
            $0.busyTimeout = .milliseconds(5)
            $0.pauses = [.zero]
        }
        let other = Box()
        other.set(try harness.unruly())
        other.execute("BEGIN EXCLUSIVE")
        for round in 0..<3 {
            for number in 0..<10 { ledger.record(.sample("\(round) \(number)")) }
            await ledger.flush()
        }
        #expect(ledger.figures.dropped == 30)
        #expect(ledger.figures.problem?.contains("locked") == true)
        other.execute("ROLLBACK")
        other.close()
        ledger.record(.sample("after"))
        await ledger.flush()
        #expect(ledger.figures.written == 1 && ledger.figures.problem == nil)
        #expect(try await ledger.counters(at: LedgerHarness.noon).map(\.requests) == [31, 31, 31, 31, 31])
        await ledger.close(within: .seconds(600))
    }

    private final class Box: Sendable {
        private let queue = Mutex<DatabaseQueue?>(nil)
        func execute(_ sql: String) {
            queue.withLock { queue in try? queue?.writeWithoutTransaction { try $0.execute(sql: sql) } }
        }
        func close() { queue.withLock { try? $0?.close() } }
        func set(_ queue: DatabaseQueue) { self.queue.withLock { $0 = queue } }
    }

    @Test func `While the disk is frozen recording goes on, and no charge is lost`() async throws {
        let ice = Ice()
        let ledger = try harness.open {
            $0.beforeWrite = ice.write
            $0.capacity = 100
            $0.wakeAt = 1
        }
        ledger.record(.sample("first"))
        await ice.reached()
        for number in 0..<1000 { ledger.record(.sample("\(number)", key: "team-\(number % 2)")) }
        #expect(ledger.figures.pending == 100)
        #expect(ledger.figures.dropped == 901)
        ice.melt()
        let counters = try await ledger.counters(at: LedgerHarness.noon).filter { $0.window == .total }
        #expect(counters.map(\.requests) == [1, 500, 500])
        #expect(ledger.figures.written == 100)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A frozen disk does not keep it from closing, and what is lost is counted`() async throws {
        let ice = Ice()
        let ledger = try harness.open {
            $0.beforeWrite = ice.write
            $0.wakeAt = 1
        }
        for number in 0..<10 { ledger.record(.sample("\(number)")) }
        await ice.reached()
        ledger.remember([1], as: "learnt")
        ledger.forget(documents: ["a", "b"])
        await ledger.close(within: .milliseconds(30))
        #expect(ledger.figures.dropped == 10)
        #expect(
            harness.words == [
                "The ledger was closed before all was written (its file has not answered within 0.03 s): 10 requests have no row; "
                    + "budgets do not count 10 requests from the next start on; 1 stored responses or other documents were not kept; "
                    + "2 deleted documents are still in the file, and are there again after a start."
            ])
        ledger.record(.sample("late"))
        #expect(ledger.figures.dropped == 11)
        #expect(ledger.figures.pending == 0)
        ice.melt()
        #expect(ledger.figures.written == 0, "what was counted as lost stays so")
    }

    @Test func `What a full disk has cost up to the end is told at the end`() async throws {
        let ledger = try harness.open { $0.beforeWrite = { throw DatabaseError(resultCode: .SQLITE_FULL) } }
        for number in 0..<3 { ledger.record(.sample("\(number)")) }
        await ledger.flush()
        #expect(harness.words.count == 1 && harness.words[0].contains(": 3 requests"))
        ledger.record(.sample("silent"))
        await ledger.flush()
        ledger.record(.sample("last"))
        ledger.remember([1], as: "learnt")
        await ledger.close(within: .seconds(600))
        #expect(harness.words.count == 2)
        #expect(
            harness.words[1].contains(": 2 requests have no row (5 since the start); budgets do not count 5 requests"))
        #expect(harness.words[1].contains("; 1 stored responses or other documents were not kept."))
    }

    @Test func `A stop at which all is written is silent`() async throws {
        let ledger = try harness.open()
        for number in 0..<300 { ledger.record(.sample("\(number)")) }
        ledger.remember([1], as: "learnt")
        ledger.forget(documents: ["a"])
        await ledger.close(within: .seconds(600))
        #expect(harness.words.isEmpty)
    }

    @Test func `Saving a key while the disk is frozen fails with a sentence, and is not done later`() async throws {
        let ice = Ice()
        let ledger = try harness.open {
            $0.beforeWrite = ice.write
            $0.wakeAt = 1
            $0.patience = .milliseconds(30)
        }
        ledger.record(.sample())
        await ice.reached()
        let key = ManagedKey(name: "n", digest: [1], prefix: "oci-", created: 1, limits: KeyLimits())
        let error = await #expect(throws: LedgerError.self) { try await ledger.save(key, action: "create", by: "me") }
        #expect(error?.code == .tooSlow)
        #expect(error?.description.contains("key n") == true)
        ice.melt()
        await ledger.flush()
        #expect(try await ledger.keys().isEmpty)
        await ledger.close(within: .seconds(600))
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `Figures add up and counters are exact, whatever the disk does`(seed: UInt64) async throws {
        let random = Mutex(SplitMix64(seed: seed))
        let isHealthy = Atomic(false)
        let ledger = try harness.open {
            $0.capacity = 120
            $0.batch = 17
            $0.pauses = [.zero]
            $0.beforeWrite = {
                let isFailing = random.withLock { Int.random(in: 0..<3, using: &$0) > 0 }
                if isFailing, !isHealthy.load(ordering: .relaxed) { throw DatabaseError(resultCode: .SQLITE_IOERR) }
            }
        }
        var entries = RandomEntries(seed: seed)
        let all = entries.next(900)
        for start in stride(from: 0, to: 900, by: 150) {
            all[start..<start + 150].forEach(ledger.record)
            await ledger.flush()
            let figures = ledger.figures
            #expect(figures.written + figures.dropped == start + 150)
        }
        #expect(ledger.figures.dropped > 0 && ledger.figures.written > 0)
        isHealthy.store(true, ordering: .relaxed)
        let found = try await ledger.counters(at: LedgerHarness.noon)
        let expected = SumTests.counters(all, at: LedgerHarness.noon)
        #expect(Set(found.map(SumTests.Hashed.init)) == Set(expected.map(SumTests.Hashed.init)))
        await ledger.close(within: .seconds(600))
        let rows = try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request") }
        #expect(rows == ledger.figures.written)
    }

    @Test func `A question that takes too long is ended with a sentence, and the next one is answered`() async throws {
        let ledger = try harness.open { $0.readLimit = .milliseconds(500) }
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        let error = await #expect(throws: LedgerError.self) {
            _ = try await ledger.reader.read { db in try Int.fetchOne(db, sql: endless) }
        }
        #expect(error?.code == .tooSlow)
        #expect(try await ledger.reader.read { db in try Int.fetchOne(db, sql: "SELECT 1") } == 1)
        await ledger.close(within: .seconds(600))
    }

    @Test func `The reader cannot write`() async throws {
        let ledger = try harness.open()
        await #expect(throws: LedgerError.self) {
            try await ledger.reader.read { db in try db.execute(sql: "DELETE FROM meta") }
        }
        await ledger.close(within: .seconds(600))
    }
}
