import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct UpkeepTests {
    private let harness = LedgerHarness()
    private static let day: Int64 = 86_400

    private func count(_ table: String) throws -> Int {
        try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)")! }
    }

    @Test func `Rows older than the retention go, roll-ups and counters in all stay`() async throws {
        let ledger = try harness.open(retention: .seconds(10 * Self.day))
        for age in 0..<20 { ledger.record(.sample("\(age)", at: LedgerHarness.noon - Int64(age) * Self.day)) }
        await ledger.flush()
        await ledger.keepUp()
        let left = try harness.look(StoredEntries.all)
        #expect(Set(left.map(\.id)) == Set((0...10).map(String.init)))
        #expect(try count("every_attempt") == 11)
        #expect(try count("day") == 20)
        let summary = try await ledger.report(LedgerQuestion(.summary, from: 0, to: .max))
        #expect(summary.rows[0][0] == .integer(20))
        let total = try await ledger.counters(at: LedgerHarness.noon).first { $0.window == .total }
        #expect(total?.requests == 20)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A step deletes at most 5,000 rows, attempts among them`() async throws {
        let ledger = try harness.open(retention: .seconds(Self.day))
        for number in 0..<4000 {
            var entry = LedgerEntry.sample("\(number)", at: LedgerHarness.noon - 5 * Self.day)
            entry.attempts = Array(repeating: entry.attempts[0], count: 3)
            ledger.record(entry)
        }
        await ledger.flush()
        let rows = { try count("request") + count("attempt") }
        #expect(try rows() == 12_000)
        try await ledger.step()
        #expect(try rows() == 12_000 - 4998, "1,666 requests with their attempts, the last one in the same row")
        await ledger.keepUp()
        #expect(try rows() == 0)
        await ledger.close(within: .seconds(600))
    }

    @Test func `A request with more attempts than a step may delete goes too`() async throws {
        let ledger = try harness.open(retention: .zero)
        var entry = LedgerEntry.sample("r", at: LedgerHarness.noon - 1)
        entry.attempts = Array(repeating: entry.attempts[0], count: 6000)
        ledger.record(entry)
        await ledger.flush()
        await ledger.keepUp()
        #expect(try count("every_attempt") == 0)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Documents go when they have expired`() async throws {
        let ledger = try harness.open()
        for number in 0..<1200 {
            ledger.keep(
                StoredDocument(
                    id: "\(number)", key: "k", created: 0, expires: LedgerHarness.noon + Int64(number % 2), bytes: [1]))
        }
        await ledger.flush()
        await ledger.keepUp()
        #expect(try count("document") == 600)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Counters of periods that are long over go, but those of months before those`() async throws {
        let ledger = try harness.open()
        for age in [0, 39, 41, 60, 300] {
            ledger.record(.sample("\(age)", at: LedgerHarness.noon - Int64(age) * Self.day))
        }
        await ledger.flush()
        await ledger.keepUp()
        await ledger.close(within: .seconds(600))
        func counts(_ window: String) throws -> Int? {
            try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM counter WHERE window = '\(window)'") }
        }
        #expect(try counts("hour") == 2)
        #expect(try counts("day") == 2)
        #expect(try counts("total") == 1)
        #expect(try counts("month") == 3)
    }
}

extension SQLiteLedger {
    /// One step of upkeep.
    fileprivate func step() async throws {
        let reply = Reply<Void>()
        let retention = options.retention
        let now = options.wallClock()
        _ = inbox.put(
            .write(
                { db in
                    var upkeep = Upkeep(retention: retention)
                    let more = try upkeep.step(at: now, db)
                    db.afterNextTransaction { _ in
                        #expect(more)
                        reply.answer(.success(()))
                    }
                }, failed: { reply.answer(.failure($0)) }))
        try await reply.value
    }
}

@Suite struct RepricingTests {
    private let harness = LedgerHarness()

    private static let price: @Sendable (UsedAttempt) -> NanoDollars? = { used in
        used.model == "m3"
            ? nil
            : (used.usage.prompt ?? 0) * 7 + Int64(used.upstream.utf8.count) + Int64(used.asked?.utf8.count ?? 100)
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `Costs are worked out anew, and roll-ups are as if they had been so from the start`(seed: UInt64) async throws
    {
        let ledger = try harness.open()
        var random = RandomEntries(seed: seed)
        let entries = random.next(1500)
        entries.forEach(ledger.record)
        await ledger.flush()
        let counters = try await ledger.counters(at: LedgerHarness.noon)
        let changed = try await ledger.reprice(since: 0, Self.price)
        #expect(try await ledger.counters(at: LedgerHarness.noon) == counters, "budgets stay as they were")
        await ledger.close(within: .seconds(600))

        let expected = entries.map(Self.repriced)
        let before = entries.flatMap(\.attempts).map(\.cost)
        #expect(changed == zip(before, expected.flatMap(\.attempts).map(\.cost)).count { $0 != $1 })
        #expect(changed > 1000)
        // Another ledger, into which they come with these costs.
        let other = LedgerHarness()
        let fresh = try other.open()
        expected.forEach(fresh.record)
        await fresh.close(within: .seconds(600))
        let costs = """
            SELECT day, (SELECT text FROM dim WHERE id = key), (SELECT text FROM dim WHERE id = upstream),
                (SELECT text FROM dim WHERE id = model), requests, attempts, priced, cost, retry_cost, unknown_cost
            FROM day ORDER BY 1, 2, 3, 4
            """
        let sums = try harness.look { try Row.fetchAll($0, sql: costs) }
        #expect(try other.look { try Row.fetchAll($0, sql: costs) } == sums)
        let byID = try Dictionary(uniqueKeysWithValues: harness.look(StoredEntries.all).map { ($0.id, $0) })
        #expect(expected.allSatisfy { byID[$0.id] == $0 })
    }

    private static func repriced(_ entry: LedgerEntry) -> LedgerEntry {
        var entry = entry
        let served = entry.upstream.flatMap { name in entry.attempts.lastIndex { $0.upstream == name } }
        var total: NanoDollars? = 0
        var isChanged = false
        for index in entry.attempts.indices {
            let attempt = entry.attempts[index]
            if attempt.usage.truth != .unknown {
                let isStandIn = entry.fallback != nil && attempt.model == entry.servedModel
                entry.attempts[index].cost = price(
                    UsedAttempt(
                        asked: isStandIn ? nil : entry.model, model: attempt.model, upstream: attempt.upstream,
                        usage: attempt.usage))
            }
            let cost = entry.attempts[index].cost
            isChanged = isChanged || cost != attempt.cost
            let usage = attempt.usage
            let used = [usage.prompt, usage.completion, usage.charactersIn, usage.charactersOut].contains {
                ($0 ?? 0) > 0
            }
            if cost == nil, used || index == served { total = nil }
            total = total.map { $0 + (cost ?? 0) }
        }
        if isChanged { entry.cost = total }
        return entry
    }

    @Test func `What lies before the moment stays as it was, and a second time changes nothing`() async throws {
        let ledger = try harness.open()
        for hour in 0..<10 { ledger.record(.sample("\(hour)", at: LedgerHarness.noon - Int64(hour) * 3600)) }
        await ledger.flush()
        let since = LedgerHarness.noon - 4 * 3600
        #expect(try await ledger.reprice(since: since) { _ in 1 } == 5)
        #expect(try await ledger.reprice(since: since) { _ in 1 } == 0)
        #expect(try await ledger.reprice(since: since) { _ in nil } == 5)
        await ledger.close(within: .seconds(600))
        let entries = try harness.look(StoredEntries.all)
        #expect(entries.count { $0.cost == nil && $0.attempts[0].cost == nil } == 5)
        #expect(entries.count { $0.cost == 5000 } == 5)
    }

    @Test func `A roll-up whose costs are all unknown again is NULL, and one without rows keeps its sum`() async throws
    {
        let ledger = try harness.open(retention: .seconds(86_400))
        ledger.record(.sample("gone", at: LedgerHarness.noon - 5 * 86_400))
        ledger.record(.sample("here"))
        await ledger.flush()
        await ledger.keepUp()
        #expect(try await ledger.reprice(since: 0) { _ in nil } == 1)
        await ledger.close(within: .seconds(600))
        let costs = try harness.look { db in
            try Row.fetchAll(db, sql: "SELECT cost, unknown_cost FROM day ORDER BY day")
        }
        #expect(costs.map { $0["cost"] as Int64? } == [5000, nil])
        #expect(costs.map { $0["unknown_cost"] } == [0, 1])
    }
}
