import GRDB
import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct SumTests {
    private let harness = LedgerHarness()

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `Roll-ups are the sums of the rows`(seed: UInt64) async throws {
        let ledger = try harness.open { $0.batch = 37 }
        var random = RandomEntries(seed: seed)
        random.next(400).forEach(ledger.record)
        await ledger.flush()
        random.next(100).forEach(ledger.record)
        await ledger.close(within: .seconds(600))
        try harness.look(expectSums)
    }

    /// Roll-ups against all rows, by the statement that reports use for parts of days.
    private func expectSums(_ db: Database) throws {
        let columns = "day, key, upstream, model, " + ReportSQL.sums.map { "sum(\($0))" }.joined(separator: ", ")
        func sums(_ range: ReportRange) throws -> [Row] {
            let cells = ReportSQL(range, key: nil, by: .all)
            return try Row.fetchAll(
                db, sql: "\(cells.sql) SELECT \(columns) FROM cell GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
                arguments: cells.arguments)
        }
        let day: Int64 = 86_400
        // From the second behind midnight on, so that all of it comes from rows; then whole days.
        let from = (LedgerHarness.noon / day - 5) * day
        let fromRows = try sums(ReportRange(rows: [from * 1_000_000..<(1 << 53)]))
        #expect(fromRows.count > 10)
        #expect(try sums(ReportRange(hours: [0..<(1 << 30)])) == fromRows)
        #expect(try sums(ReportRange(days: 0..<(1 << 30))) == fromRows)
        func failures(_ range: ReportRange) throws -> [Row] {
            let failed = ReportSQL(failuresOf: range, key: nil)
            return try Row.fetchAll(
                db,
                sql: "\(failed.sql) SELECT level, error, upstream, status, sum(count), max(last_at) FROM failed "
                    + "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4", arguments: failed.arguments)
        }
        let failed = try failures(ReportRange(rows: [from * 1_000_000..<(1 << 53)]))
        #expect(failed.count > 10)
        #expect(try failures(ReportRange(hours: [0..<(1 << 30)])) == failed)
        #expect(try failures(ReportRange(days: 0..<(1 << 30))) == failed)
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `Counters are the sums of what was charged`(seed: UInt64) async throws {
        let ledger = try harness.open { $0.batch = 37 }
        var random = RandomEntries(seed: seed, days: 30)
        let entries = random.next(500)
        entries.forEach(ledger.record)
        for seconds in [LedgerHarness.noon, LedgerHarness.noon - 86_400 * 3] {
            let expected = Self.counters(entries, at: seconds)
            let found = try await ledger.counters(at: seconds)
            #expect(Set(found.map(Hashed.init)) == Set(expected.map(Hashed.init)))
            #expect(!found.isEmpty)
        }
        await ledger.close(within: .seconds(600))
    }

    static func counters(_ entries: [LedgerEntry], at seconds: Int64, offset: Int64 = 0) -> [LedgerCounter] {
        BudgetWindow.allCases.flatMap { window -> [LedgerCounter] in
            let start = periodStart(window, seconds, offset: offset)
            let mine = entries.filter { periodStart(window, $0.at / 1_000_000, offset: offset) == start }
            return Dictionary(grouping: mine, by: \.key).map { key, entries in
                LedgerCounter(
                    key: key, window: window, periodStart: start, requests: Int64(entries.count),
                    tokens: entries.map(\.chargedTokens).reduce(0, +), cost: entries.map(\.chargedCost).reduce(0, +))
            }
        }
    }

    struct Hashed: Hashable {
        let text: String
        init(_ counter: LedgerCounter) { text = "\(counter)" }
    }

    @Test(arguments: [3600, -5 * 3600, 9 * 3600] as [Int64])
    func `Another time zone sorts the counters anew, and what lost rows were charged too`(offset: Int64) async throws {
        var random = RandomEntries(seed: 7, days: 30)
        let entries = random.next(400)
        let ledger = try harness.open { $0.capacity = 200 }
        entries.forEach(ledger.record)
        await ledger.close(within: .seconds(600))
        #expect(ledger.figures.dropped == 200)
        let moved = try harness.open(offset: offset, calendar: "Elsewhere")
        let found = try await moved.counters(at: LedgerHarness.noon)
        let expected = Self.counters(entries, at: LedgerHarness.noon, offset: offset)
        #expect(Set(found.map(Hashed.init)) == Set(expected.map(Hashed.init)))
        #expect(harness.words.contains { $0.contains("Elsewhere") && $0.contains("UTC") })
        await moved.close(within: .seconds(600))
        harness.told.withLock { $0 = [] }
        let again = try harness.open(offset: offset, calendar: "Elsewhere")
        let kept = try await again.counters(at: LedgerHarness.noon)
        #expect(Set(kept.map(Hashed.init)) == Set(expected.map(Hashed.init)))
        #expect(harness.words.isEmpty)
        await again.close(within: .seconds(600))
    }
}

extension ReportRange {
    init(days: Range<Int64> = 0..<0, hours: [Range<Int64>] = [], rows: [Range<Int64>] = []) {
        self.init(from: 0, to: 0, now: 0, horizon: Horizon(rows: 0, hours: 0))
        self.days = days
        self.hours = hours
        self.rows = rows
    }
}
