import Foundation
import GRDB
import LedgerTestSupport
import ProxyAccounting
import Synchronization
import Testing

@testable import ProxyLedger

@Suite struct RefusalTests {
    private let harness = LedgerHarness()

    private func refusal(_ id: String, at seconds: Int64, key: String = "loop", error: String = "rate_limit_exceeded")
        -> LedgerEntry
    {
        var entry = LedgerEntry(
            id: id, at: seconds * 1_000_000, key: key, dialect: "chat", endpoint: "e", status: 429)
        entry.error = error
        entry.model = "made up \(id)"
        return entry
    }

    private func rows() throws -> Int {
        try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request")! }
    }

    @Test func `A client in a loop has so many rows a minute, and every request is counted`() async throws {
        let ledger = try harness.open { $0.batch = 97 }
        let start = LedgerHarness.noon
        for number in 0..<3000 { ledger.record(refusal("\(number)", at: start + Int64(number) / 25)) }
        for number in 0..<5 { ledger.record(refusal("other \(number)", at: start + 3, error: "budget_exceeded")) }
        ledger.record(refusal("one", at: start + 3, key: "calm"))
        await ledger.flush()
        let figures = ledger.figures
        #expect(figures.written == 3006)
        #expect(figures.folded == 3000 - 2 * RefusalBound.rowsAMinute)
        #expect(try rows() == figures.written - figures.folded)
        // From rows, from hours and from days alike.
        for (from, to) in [(start - 5, start + 200), (start, start + 3600), (start - 43_200, start + 43_200)] {
            let summary = try await ledger.report(LedgerQuestion(.summary, from: from, to: to))
            #expect(summary.rows[0][0...1] == [.integer(3006), .integer(3006)])
            let failures = try await ledger.report(LedgerQuestion(.failures, from: from, to: to, key: "loop"))
            #expect(failures.rows.map { $0[4] } == [.integer(3000), .integer(5)])
        }
        let minute = try await ledger.report(LedgerQuestion(.summary, from: start + 60, to: start + 120))
        #expect(minute.rows[0][0] == .integer(1500), "each is counted in its own minute")
        let counters = try await ledger.counters(at: start).filter { $0.window == .day && $0.key == "loop" }
        #expect(counters.map(\.requests) == [3005])
        await ledger.close(within: .seconds(600))
    }

    @Test func `What failed of a disk is not taken for a row`() async throws {
        let failing = FailingDisk()
        let ledger = try harness.open { $0.beforeWrite = failing.write }
        failing.isFailing.store(true, ordering: .releasing)
        for number in 0..<500 { ledger.record(refusal("\(number)", at: LedgerHarness.noon)) }
        await ledger.flush()
        #expect(ledger.figures.dropped == 500)
        failing.isFailing.store(false, ordering: .releasing)
        for number in 0..<500 { ledger.record(refusal("again \(number)", at: LedgerHarness.noon)) }
        await ledger.flush()
        #expect(try rows() == RefusalBound.rowsAMinute)
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT sum(times) FROM request") } == 500)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Only refusals without anything else to be told of share a row`() {
        func isPlain(_ change: (inout LedgerEntry) -> Void) -> Bool {
            var entry = refusal("r", at: 0)
            change(&entry)
            return EntryFacts(RecordedEntry(0, of: EntryPage(of: [entry]), firstName: 0)).isPlainRefusal
        }
        #expect(isPlain { _ in })
        #expect(isPlain { $0.error = nil })
        #expect(!isPlain { $0.attempts = LedgerEntry.sample().attempts })
        #expect(!isPlain { $0.status = 499 })
        #expect(!isPlain { $0.status = 200 })
        #expect(!isPlain { $0.chargedTokens = 1 })
        #expect(!isPlain { $0.cost = 0 })
        #expect(!isPlain { $0.servedModel = "m" })
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `The bound holds for each cause and minute, in any order`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bound = RefusalBound(rowsAMinute: 7)
        var rows: [String: Int] = [:]
        var hours: [Int64: Int64] = [:]
        var now: Int64 = 3_000_000_000
        for number in 1...20_000 as ClosedRange<Int64> {
            now += Int64.random(in: 0..<20_000_000, using: &random) / 10
            let at = max(now - Int64.random(in: 0..<2_000_000, using: &random), 0)
            let cause = RefusalBound.Cause(
                key: Int64.random(in: 0..<3, using: &random), error: Bool.random(using: &random) ? 5 : nil, status: 429)
            if let row = bound.row(for: cause, at: at) {
                #expect(hours[row] == at / 3_600_000_000, "in a row of its hour")
            } else {
                bound.wrote(number, for: cause, at: at)
                hours[number] = at / 3_600_000_000
                rows["\(cause) \(at / 60_000_000)", default: 0] += 1
            }
        }
        // At the turn of an hour those that come late have rows of their own.
        #expect(rows.values.allSatisfy { $0 <= 14 })
        #expect(rows.values.count { $0 > 7 } < 100)
    }
}

@Suite struct ModelNameTests {
    private let harness = LedgerHarness()

    private func entry(_ model: String, succeeds: Bool, isListed: Bool = false, at: Int64 = LedgerHarness.noon)
        -> LedgerEntry
    {
        var entry = LedgerEntry.sample(at: at)
        entry.attempts[0].model = model
        entry.attempts[0].isModelListed = isListed
        entry.servedModel = succeeds ? model : nil
        if !succeeds {
            entry.upstream = nil
            entry.status = 404
            entry.attempts[0].status = 404
            entry.attempts[0].outcome = "model_unavailable"
        }
        return entry
    }

    private func models(_ ledger: SQLiteLedger) async throws -> [String: Int64] {
        let table = try await ledger.report(LedgerQuestion(.models, from: 0, to: .max))
        return Dictionary(
            uniqueKeysWithValues: table.rows.map { row in
                guard case .integer(let count) = row[1] else { return ("?", 0) }
                if case .text(let name) = row[0] { return (name, count) }
                return ("", count)
            })
    }

    private func names() throws -> Int { try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM dim")! } }

    @Test func `Names that no upstream has answered by are one, and those in a catalogue are not`() async throws {
        var ledger = try harness.open()
        for number in 0..<500 { ledger.record(entry("made-up-\(number)", succeeds: false)) }
        ledger.record(entry("listed", succeeds: false, isListed: true))
        ledger.record(entry("served", succeeds: true))
        ledger.record(entry("served", succeeds: false))
        await ledger.close(within: .seconds(600))
        #expect(try names() < 20)
        ledger = try harness.open()
        ledger.record(entry("served", succeeds: false))
        ledger.record(entry("another", succeeds: false))
        await ledger.flush()
        #expect(try await models(ledger) == ["(unknown)": 501, "listed": 1, "served": 3])
        await ledger.close(within: .seconds(600))
    }

    @Test func `A name that is made up and served by chance at one day's end is bounded too`() async throws {
        var ledger = try harness.open()
        for number in 0..<3000 {
            ledger.record(entry("any-\(number)", succeeds: true))
            if number % 1000 == 500 { await ledger.flush() }
        }
        await ledger.close(within: .seconds(600))
        ledger = try harness.open()
        for number in 3000..<3100 { ledger.record(entry("any-\(number)", succeeds: true)) }
        ledger.record(entry("any-0", succeeds: true))
        await ledger.flush()
        let found = try await models(ledger)
        #expect(found.count == ModelNames.boundADay + 1)
        #expect(found["(other)"] == Int64(3100 - ModelNames.boundADay))
        #expect(found["any-0"] == 2)
        #expect(try await ledger.report(LedgerQuestion(.summary, from: 0, to: .max)).rows[0][0] == .integer(3101))
        ledger.record(entry("any-5000", succeeds: true, at: LedgerHarness.noon + 86_400))
        await ledger.flush()
        #expect(try await models(ledger)["any-5000"] == 1, "the next day has room again")
        await ledger.close(within: .seconds(600))
    }
}

@Suite struct RowIDTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func `Ids are in the order of time, each once, and say when`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var ids = RowID()
        for _ in 0..<20 {
            ids.begin()
            let times = (0..<300).map { _ in Int64.random(in: 0..<1000, using: &random) }.sorted()
            let found = times.map { ids.next(at: $0) }
            #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
            let shifts = zip(found, times).map { $0 >> RowID.bits - $1 }
            #expect(shifts.allSatisfy { $0 == 0 || $0 == 1 } && shifts.count { $0 == 1 } < 3)
        }
        ids.begin()
        let many = (0..<2000).map { _ in ids.next(at: 7) }
        #expect(Set(many).count == 2000)
        #expect(many.map { $0 >> RowID.bits }.max()! <= 7 + 4)
    }

    @Test func `A free id is near, even where thousands are taken`() {
        var ids = RowID()
        var taken: Set<Int64> = []
        var tries = 0
        for _ in 0..<20_000 {
            let id = ids.free(near: .largestBooked / 2) { id in
                tries += 1
                return taken.contains(id)
            }
            #expect(taken.insert(id).inserted)
        }
        #expect(tries < 400_000)
        #expect(taken.allSatisfy { $0 >> RowID.bits - .largestBooked / 2 < 1_000_000 })
    }

    @Test func `Thousands of one moment get rows, batch after batch`() async throws {
        let harness = LedgerHarness()
        let ledger = try harness.open { $0.batch = 100 }
        for round in 0..<4 {
            for number in 0..<700 { ledger.record(.sample("\(round) \(number)")) }
            await ledger.flush()
        }
        #expect(ledger.figures.written == 2800)
        #expect(ledger.figures.problem == nil)
        await ledger.close(within: .seconds(600))
        let stored = try harness.look(StoredEntries.all)
        #expect(Set(stored.map(\.id)).count == 2800)
        #expect(stored.allSatisfy { $0.attempts.count == 1 && $0.at - LedgerHarness.noon * 1_000_000 < 1000 })
    }
}

@Suite struct SizeTests {
    private let harness = LedgerHarness()

    @Test func `At its largest size the oldest rows go, roll-ups stay, and it is told once`() async throws {
        let ledger = try harness.open(maxSize: 2_000_000) { $0.keepsUp = true }
        var random = RandomEntries(seed: 2, days: 2)
        let entries = random.next(12_000).sorted { $0.at < $1.at }
        for start in stride(from: 0, to: 12_000, by: 500) {
            entries[start..<start + 500].forEach(ledger.record)
            await ledger.flush()
            await ledger.keepUp()
        }
        #expect(ledger.figures.written == 12_000)
        #expect(harness.words.filter { $0.contains("ledger_max_size") }.count == 1)
        let summary = try await ledger.report(LedgerQuestion(.summary, from: 0, to: .max))
        #expect(summary.rows[0][0] == .integer(12_000))
        // A part of a day whose rows are gone is told by its hours.
        let first = entries[0].at / 1_000_000
        let hour = first / 3600 * 3600
        let part = try await ledger.report(LedgerQuestion(.summary, from: hour + 1, to: hour + 3600))
        let ofHour = entries.count { $0.at / 1_000_000 >= hour && $0.at / 1_000_000 < hour + 3600 }
        #expect(part.rows[0][0] == .integer(Int64(ofHour)))
        await ledger.close(within: .seconds(600))
        let left = try harness.look(StoredEntries.all)
        #expect(left.count > 100 && left.count < 9000)
        #expect(left.map(\.at).min()! >= entries[12_000 - left.count].at, "the newest are left")
        #expect(try used() <= 2_000_000)
    }

    private func document(_ number: Int, bytes: Int) -> StoredDocument {
        StoredDocument(
            id: "d\(number)", key: "k", created: Int64(number), expires: .max, bytes: Array(repeating: 7, count: bytes))
    }

    private func used() throws -> Int {
        try harness.look { db in
            try Int.fetchOne(
                db, sql: "SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count, pragma_freelist_count")!
        }
    }

    // Small ones share their pages, so that it takes several steps until there is room.
    @Test(arguments: [(100, 30_000, 46..<66), (1499, 2000, 499..<990)])
    func `Documents beyond half of that go before rows, the oldest first, and it is told once`(
        count: Int, bytes: Int, stay: Range<Int>
    ) async throws {
        // When it is asked to, so that all of them are there by then: it tells of those that it has found.
        let ledger = try harness.open(maxSize: 2_000_000)
        for number in 0..<500 { ledger.record(.sample("\(number)")) }
        // In no order of their names.
        for number in 0..<count { ledger.keep(document(number * 37 % count, bytes: bytes)) }
        await ledger.flush()
        await ledger.keepUp()
        #expect(try used() <= 2_000_000)
        let left = try await ledger.responses(at: 0).map(\.created)
        #expect(left == Array(Int64(count - left.count)..<Int64(count)), "the newest are left")
        #expect(stay.contains(left.count))
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request") } == 500)
        let words = harness.words.filter { $0.contains("ledger_max_size (1 MiB)") }
        let told = ": \(count - left.count) of the oldest stored responses have gone"
        #expect(words.count == 1 && words[0].contains(told))
        await ledger.close(within: .seconds(600))
    }

    @Test func `Documents within half of that stay while there are rows that can go`() async throws {
        let ledger = try harness.open(maxSize: 2_000_000) { $0.keepsUp = true }
        for number in 0..<30 { ledger.keep(document(number, bytes: 30_000)) }
        await ledger.flush()
        var random = RandomEntries(seed: 2, days: 2)
        for _ in 0..<12 {
            random.next(500).forEach(ledger.record)
            await ledger.flush()
            await ledger.keepUp()
        }
        #expect(try used() <= 2_000_000)
        #expect(try await ledger.responses(at: 0).count == 30)
        let rows = try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM request")! }
        #expect(rows > 100 && rows < 5000)
        await ledger.close(within: .seconds(600))
    }

    @Test func `Where no rows are left documents go, and what is no document does not keep it from going on`()
        async throws
    {
        let ledger = try harness.open(maxSize: 200_000)
        for number in 0..<3 { ledger.keep(document(number, bytes: 30_000)) }
        // Of what has been learnt there is one.
        ledger.remember(Array(repeating: 7, count: 1_000_000), as: "learnt")
        ledger.record(.sample())
        await ledger.flush()
        await ledger.keepUp()
        #expect(try await ledger.responses(at: 0).isEmpty)
        #expect(try await ledger.memory("learnt")?.count == 1_000_000)
        ledger.record(.sample("2"))
        await ledger.flush()
        #expect(ledger.figures.written == 2)
        await ledger.close(within: .seconds(600))
    }
}
