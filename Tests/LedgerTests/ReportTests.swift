import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct ReportTests {
    private let harness = LedgerHarness()
    private static let day: Int64 = 86_400
    private static let midnight = LedgerHarness.noon - 43_200

    private func values(_ table: LedgerTable, _ row: Int = 0) -> [String: LedgerTable.Value] {
        Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.name), table.rows[row]))
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `A range's sums are those of its entries, wherever it begins and ends`(seed: UInt64) async throws {
        let ledger = try harness.open()
        var random = RandomEntries(seed: seed, days: 4)
        let entries = random.next(500)
        entries.forEach(ledger.record)
        await ledger.flush()
        var edges = SplitMix64(seed: seed)
        for key in [nil, "a", "nobody"] {
            for _ in 0..<15 {
                let ends = (0..<2).map { _ in
                    let any = LedgerHarness.noon - Int64.random(in: -Self.day..<5 * Self.day, using: &edges)
                    return Bool.random(using: &edges) ? any : any / Self.day * Self.day
                }.sorted()
                let question = LedgerQuestion(.summary, from: ends[0], to: ends[1], key: key)
                let found = values(try await ledger.report(question))
                let mine = entries.filter {
                    $0.at >= ends[0] * 1_000_000 && $0.at < ends[1] * 1_000_000 && (key == nil || $0.key == key)
                }
                expect(found, mine)
            }
        }
        await ledger.close(within: .seconds(600))
    }

    private func expect(_ found: [String: LedgerTable.Value], _ entries: [LedgerEntry]) {
        let attempts = entries.flatMap(\.attempts)
        func sum(_ values: [Int64?]) -> LedgerTable.Value {
            let known = values.compactMap(\.self)
            return known.isEmpty ? .null : .integer(known.reduce(0, +))
        }
        let answered = entries.filter { !$0.attempts.isEmpty && ($0.status < 400 || $0.status == 499) }
        #expect(found["requests"] == .integer(Int64(entries.count)))
        #expect(
            found["failed"]
                == .integer(Int64(entries.count { ($0.status >= 400 || $0.error != nil) && $0.status != 499 })))
        #expect(found["cancelled"] == .integer(Int64(entries.count { $0.status == 499 })))
        #expect(found["rescued"] == .integer(Int64(entries.count { $0.rescuedFrom != nil })))
        #expect(found["attempts"] == .integer(Int64(attempts.count)))
        #expect(found["prompt_tokens"] == sum(attempts.map(\.usage.prompt)))
        #expect(found["reasoning_tokens"] == sum(attempts.map(\.usage.reasoning)))
        #expect(found["cost_nano_usd"] == sum(attempts.map(\.cost)))
        #expect(found["unknown_usage"] == .integer(Int64(answered.count { $0.usage.truth == .unknown })))
        #expect(found["estimated_usage"] == .integer(Int64(answered.count { $0.usage.truth == .estimated })))
        #expect(found["unknown_cost"] == .integer(Int64(answered.count { $0.cost == nil })))
    }

    @Test func `Retries and what they cost are told apart from what answered`() async throws {
        let ledger = try harness.open()
        var entry = LedgerEntry.sample(cost: 300)
        var broken = entry.attempts[0]
        broken.upstream = "ord"
        broken.cost = 200
        broken.outcome = "broken"
        entry.attempts.insert(broken, at: 0)
        entry.rescuedFrom = "ord"
        ledger.record(entry)
        await ledger.flush()
        let question = LedgerQuestion(.accounts, from: 0, to: .max)
        let table = try await ledger.report(question)
        #expect(table.rows.map { $0[0] } == [.text("fra"), .text("ord")])
        #expect(values(table, 0)["retries"] == .integer(0))
        #expect(values(table, 1)["retries"] == .integer(1))
        #expect(values(table, 1)["retries_cost_nano_usd"] == .integer(200))
        #expect(values(table, 0)["requests"] == .integer(1))
        #expect(values(table, 1)["requests"] == .integer(0))
        await ledger.close(within: .seconds(600))
    }

    @Test func `Accounts have percentiles of their times to the first token`() async throws {
        let ledger = try harness.open()
        for number in 1...200 { ledger.record(.sample("\(number)", firstToken: Int64(number) * 1000)) }
        ledger.record(.sample("other", upstream: "silent", firstToken: nil))
        await ledger.flush()
        let table = try await ledger.report(
            LedgerQuestion(.accounts, from: Self.midnight, to: Self.midnight + Self.day))
        let first = values(table, 0)
        #expect(first["upstream"] == .text("fra"))
        #expect(first["first_token_p50_ms"] == .integer(100_000))
        #expect(first["first_token_p99_ms"] == .integer(198_000))
        #expect(first["first_token_ms"] == .integer(100_500))
        #expect(values(table, 1)["first_token_p50_ms"] == .null)
        #expect(values(table, 1)["first_token_ms"] == .null)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Days come in order, keys and models by cost`() async throws {
        let ledger = try harness.open()
        for (number, key) in ["cheap", "dear", "unknown"].enumerated() {
            ledger.record(
                .sample(
                    key, at: LedgerHarness.noon - Int64(number) * Self.day, key: key, cost: [1, 1000, nil][number]))
        }
        await ledger.flush()
        let days = try await ledger.report(LedgerQuestion(.days, from: 0, to: .max))
        #expect(days.rows.map { $0[0] } == [.text("2026-03-02"), .text("2026-03-03"), .text("2026-03-04")])
        let keys = try await ledger.report(LedgerQuestion(.keys, from: 0, to: .max))
        #expect(keys.rows.map { $0[0] } == [.text("dear"), .text("cheap"), .text("unknown")])
        #expect(values(keys, 2)["cost_nano_usd"] == .null)
        #expect(values(keys, 2)["unknown_cost"] == .integer(1))
        let models = try await ledger.report(LedgerQuestion(.models, from: 0, to: .max, key: "dear"))
        #expect(models.rows.count == 1)
        #expect(values(models)["model"] == .text("xai.grok-4"))
        #expect(values(models)["cached_share"] == .null)
        await ledger.close(within: .seconds(600))
    }

    @Test func `What a client calls a model makes no new roll-up`() async throws {
        let ledger = try harness.open()
        for number in 0..<100 {
            var entry = LedgerEntry(
                id: "\(number)", at: LedgerHarness.noon * 1_000_000, key: "k", dialect: "chat", endpoint: "e",
                status: 404)
            entry.model = "made up \(number)"
            entry.error = "model_not_found"
            ledger.record(entry)
        }
        await ledger.flush()
        let models = try await ledger.report(LedgerQuestion(.models, from: 0, to: .max))
        #expect(models.rows.count == 1)
        #expect(models.rows[0][0] == .null)
        await ledger.close(within: .seconds(600))
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM dim") }! < 10)
    }

    @Test func `Failures are told by error and upstream, of requests and of attempts`() async throws {
        let ledger = try harness.open()
        for number in 0..<3 {
            var entry = LedgerEntry.sample("\(number)", at: LedgerHarness.noon + Int64(number))
            entry.status = 502
            entry.error = "upstream_error"
            entry.upstream = nil
            entry.attempts[0].outcome = "timed_out"
            entry.attempts[0].status = nil
            ledger.record(entry)
        }
        ledger.record(.sample("good"))
        await ledger.flush()
        let table = try await ledger.report(LedgerQuestion(.failures, from: 0, to: .max, key: "team"))
        let last = LedgerTable.Value.text("2026-03-04T12:00:02.000Z")
        #expect(
            table.rows == [
                [.text("request"), .text("upstream_error"), .null, .integer(502), .integer(3), last],
                [.text("attempt"), .text("timed_out"), .text("fra"), .null, .integer(3), last],
            ])
        let other = try await ledger.report(LedgerQuestion(.failures, from: 0, to: .max, key: "nobody"))
        #expect(other.rows.isEmpty)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Every question has as many values as columns, in an empty ledger too`() async throws {
        let ledger = try harness.open()
        for _ in 0..<2 {
            for subject in LedgerQuestion.Subject.allCases {
                for (from, to) in [(0, Int64.max), (Int64.min, .max), (5, 5), (9, 3)] as [(Int64, Int64)] {
                    let table = try await ledger.report(LedgerQuestion(subject, from: from, to: to))
                    #expect(table.rows.allSatisfy { $0.count == table.columns.count })
                }
            }
            var random = RandomEntries(seed: 3)
            random.next(50).forEach(ledger.record)
            await ledger.flush()
        }
        await ledger.close(within: .seconds(600))
    }
}

@Suite struct ReportRangeTests {
    private static let day: Int64 = 86_400
    private static let hour: Int64 = 3600

    /// - Parameters: seconds.
    private func range(
        _ from: Int64, _ to: Int64, now: Int64 = 1000 * day, rows: Int64 = 0, hours: Int64 = 0
    ) -> ReportRange {
        ReportRange(
            from: from, to: to, now: now, horizon: ReportRange.Horizon(rows: rows * 1_000_000, hours: hours * 1_000_000)
        )
    }

    private func rows(_ from: Int64, _ to: Int64) -> Range<Int64> { from * 1_000_000..<to * 1_000_000 }

    @Test func `Whole days and hours come from roll-ups and parts of hours from rows`() {
        let (day, hour) = (Self.day, Self.hour)
        #expect(range(10 * day, 12 * day) == ReportRange(days: 10..<12))
        #expect(range(10 * day + hour, 12 * day) == ReportRange(days: 11..<12, hours: [241..<264]))
        #expect(range(10 * day, 12 * day + 2 * hour) == ReportRange(days: 10..<12, hours: [288..<290]))
        #expect(
            range(10 * day + 1, 12 * day + 5)
                == ReportRange(
                    days: 11..<12, hours: [241..<264],
                    rows: [rows(10 * day + 1, 10 * day + hour), rows(12 * day, 12 * day + 5)]))
        #expect(range(10 * day, 10 * day + 5).rows == [rows(10 * day, 10 * day + 5)])
        #expect(range(10 * day + 2, 10 * day + 5).rows == [rows(10 * day + 2, 10 * day + 5)])
        #expect(range(10 * day + 2, 10 * day + 5).days.isEmpty && range(10 * day + 2, 10 * day + 5).hours.isEmpty)
        #expect(range(10 * day + 2, 10 * day + 2 * hour + 5).hours == [241..<242])
        #expect(range(7, 7) == ReportRange() && range(9, 3) == ReportRange())
    }

    @Test func `Today is whole when the range reaches beyond now`() {
        let day = Self.day
        #expect(range(5 * day, 9 * day + 50, now: 9 * day + 40) == ReportRange(days: 5..<10))
    }

    @Test func `A part whose rows or hours are gone is answered by the least that is there`() {
        let (day, hour) = (Self.day, Self.hour)
        let end = 900 * day
        #expect(range(10 * day + 1, 12 * day + 5, rows: end, hours: end) == ReportRange(days: 10..<13))
        #expect(range(10 * day + 1, 10 * day + 5, rows: end, hours: end) == ReportRange(days: 10..<11))
        #expect(range(10 * day + hour + 1, 10 * day + 3 * hour + 5, rows: end).hours == [241..<244])
        #expect(range(10 * day + hour + 1, 10 * day + 3 * hour + 5, rows: end).rows.isEmpty)
        #expect(range(10 * day + 1, 10 * day + 9, rows: 10 * day + 2).hours == [240..<241])
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `Its parts lie one behind the other, and make up the range`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let ends = (0..<2).map { _ in Int64.random(in: 0..<5 * Self.day, using: &random) }.sorted()
            let found = range(ends[0], ends[1])
            var parts = found.rows.map { ($0.lowerBound / 1_000_000, $0.upperBound / 1_000_000) }
            parts += found.hours.map { ($0.lowerBound * Self.hour, $0.upperBound * Self.hour) }
            if !found.days.isEmpty {
                parts.append((found.days.lowerBound * Self.day, found.days.upperBound * Self.day))
            }
            parts.sort { $0 < $1 }
            #expect(parts.map(\.0) == ends.prefix(ends[0] < ends[1] ? 1 : 0) + parts.dropLast().map(\.1))
            #expect(parts.last.map { $0.1 == ends[1] } ?? (ends[0] == ends[1]))
        }
    }
}
