import GRDB
import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct StoryTests {
    private let harness = LedgerHarness()

    /// As a request's page would have it in memory.
    private func story(_ entry: LedgerEntry) -> RequestStory {
        let page = EntryPage(of: [entry])
        return page.story(page.rows[0])
    }

    @Test func `A request's story is the same in memory and on the disk`() async throws {
        var random = RandomEntries(seed: 21)
        let entries = random.next(300)
        let ledger = try harness.open()
        entries.forEach(ledger.record)
        await ledger.flush()
        for entry in entries { #expect(try await ledger.story(of: entry.id) == story(entry)) }
        await ledger.close(within: .seconds(600))

        let next = try harness.open()
        #expect(next.recent.count == 0)
        for entry in entries {
            var told = story(entry)
            // The table has no counters of characters and cache writes for people.
            for index in told.attempts.indices { told.attempts[index].usage = told.attempts[index].usage.shown }
            told.usage = told.usage.shown
            let read = try await next.story(of: entry.id)
            // A model that answered is told of with its attempt; what a client has made up has no name of its own.
            #expect(read == told, "\(entry.id)")
        }
        #expect(try await next.story(of: "nobody's") == nil)
        await next.close(within: .seconds(600))
    }

    @Test func `What happened between attempts, and who could have been asked, outlives the process`() async throws {
        let events = Array(#"[{"type":"waited","call":0,"wait_ms":3.5},{"type":"attempt","number":1,"call":0}]"#.utf8)
        let ledger = try harness.open()
        ledger.record { page in
            var attempt = AttemptRow(
                number: 1, at: LedgerHarness.noon * 1_000_000, upstream: page.place(of: "fra", .upstream),
                model: page.place(of: "m", .calledModel), outcome: page.place(of: "succeeded", .outcome))
            attempt.candidates = page.place(ofCandidates: 5) { $0 == 5 ? "fra,ord" : "?" }
            page.append(attempt)
            var row = EntryRow(
                id: page.place(of: "r"), at: LedgerHarness.noon * 1_000_000, key: page.place(of: "k", .key),
                dialect: page.place(of: "chat", .dialect), endpoint: page.place(of: "/", .endpoint), status: 200)
            row.story = page.place(of: events)
            page.append(row)
        }
        ledger.record(.sample("plain"))
        #expect(try await ledger.story(of: "r")?.events == events, "before it has been written")
        await ledger.close(within: .seconds(600))
        let next = try harness.open()
        let story = try await next.story(of: "r")
        #expect(story?.events == events)
        #expect(story?.attempts.map(\.candidates) == ["fra,ord"])
        #expect(try await next.story(of: "plain")?.events == nil)
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM story") } == 1)
        await next.close(within: .seconds(600))
    }

    @Test func `Of several requests with one id the newest is told of`() async throws {
        let ledger = try harness.open()
        for hour in 0..<3 as Range<Int64> {
            ledger.record(.sample("same", at: LedgerHarness.noon + hour * 3600, key: "k\(hour)"))
            await ledger.flush()
        }
        #expect(try await ledger.story(of: "same")?.key == "k2")
        await ledger.close(within: .seconds(600))
        let next = try harness.open()
        #expect(try await next.story(of: "same")?.key == "k2")
        await next.close(within: .seconds(600))
    }

    @Test func `Stories go with their rows`() async throws {
        let ledger = try harness.open(retention: .seconds(86_400))
        ledger.record { page in
            var row = EntryRow(
                id: page.place(of: "old"), at: (LedgerHarness.noon - 2 * 86_400) * 1_000_000,
                key: page.place(of: "k", .key), dialect: page.place(of: "chat", .dialect),
                endpoint: page.place(of: "/", .endpoint), status: 200)
            row.story = page.place(of: Array("[]".utf8))
            page.append(row)
        }
        await ledger.flush()
        await ledger.keepUp()
        #expect(try harness.look { try Int.fetchOne($0, sql: "SELECT count(*) FROM story") } == 0)
        await ledger.close(within: .seconds(600))
    }

    /// A file as the version before made it.
    @Test func `An older file goes on with stories`() async throws {
        var random = RandomEntries(seed: 22)
        let entries = random.next(40)
        let ledger = try harness.open()
        entries.forEach(ledger.record)
        await ledger.close(within: .seconds(600))
        try harness.change(
            """
            DROP TABLE story; DROP VIEW every_attempt;
            ALTER TABLE request DROP COLUMN last_candidates; ALTER TABLE attempt DROP COLUMN candidates;
            DELETE FROM grdb_migrations WHERE identifier = '2 stories';
            CREATE VIEW every_attempt(
                request, seq, upstream, model, served, first_token, outcome, status, prompt, completion, cached,
                reasoning, cost, n, at, region, total, characters_in, characters_out, cache_writes, truth,
                opc_request_id
            ) AS
            SELECT id, attempts - 1, last_upstream, last_model, last_served, last_first_token, last_outcome,
                last_status, last_prompt, last_completion, last_cached, last_reasoning, last_cost, last_n, last_at,
                last_region, last_total, last_characters_in, last_characters_out, last_cache_writes, last_truth,
                last_opc_request_id
            FROM request WHERE attempts > 0
            UNION ALL SELECT * FROM attempt;
            """)
        let next = try harness.open()
        next.record(.sample("new"))
        await next.flush()
        #expect(try await next.story(of: "new") != nil)
        for entry in entries {
            #expect(try await next.story(of: entry.id)?.attempts.count == entry.attempts.count)
        }
        await next.close(within: .seconds(600))
    }

    // MARK: Lists

    private func ids(_ page: RequestSearch.Page) -> [String] {
        page.rows.compactMap { row in
            let text = String(decoding: row, as: UTF8.self)
            return text.split(separator: "\"").dropFirst(3).first.map(String.init)
        }
    }

    @Test func `Pages have every request once, the newest first`() async throws {
        let ledger = try harness.open()
        let all = (0..<250).map { "r\($0)" }
        for (index, id) in all.enumerated() { ledger.record(.sample(id, at: LedgerHarness.noon + Int64(index))) }
        var search = RequestSearch(from: 0, to: .max)
        search.limit = 60
        var seen: [String] = []
        for count in [60, 60, 60, 60, 10] {
            let page = try await ledger.requests(search)
            #expect(page.rows.count == count)
            seen += ids(page)
            search.before = page.next
        }
        #expect(seen == all.reversed())
        await ledger.close(within: .seconds(600))
    }

    @Test func `Filters leave out what does not fit`() async throws {
        let ledger = try harness.open()
        var failed = LedgerEntry.sample("failed", key: "a", upstream: "ord")
        (failed.status, failed.error) = (429, "rate_limit_exceeded")
        ledger.record(failed)
        ledger.record(.sample("good", at: LedgerHarness.noon + 1, key: "b"))
        var other = LedgerEntry.sample("other", at: LedgerHarness.noon + 2, key: "b")
        other.model = "else"
        other.servedModel = "meta.llama"
        other.attempts[0].model = "meta.llama"
        ledger.record(other)
        func found(_ change: (inout RequestSearch) -> Void) async throws -> [String] {
            var search = RequestSearch(from: 0, to: .max)
            change(&search)
            return ids(try await ledger.requests(search))
        }
        #expect(try await found { _ in } == ["other", "good", "failed"])
        #expect(try await found { $0.key = "b" } == ["other", "good"])
        #expect(try await found { $0.key = "nobody" } == [])
        #expect(try await found { $0.upstream = "ord" } == ["failed"])
        #expect(try await found { $0.model = "else" } == ["other"])
        #expect(try await found { $0.model = "meta.llama" } == ["other"])
        #expect(try await found { $0.status = .failed } == ["failed"])
        #expect(try await found { $0.status = .ok } == ["other", "good"])
        #expect(try await found { $0.status = .exactly(429) } == ["failed"])
        #expect(try await found { $0.to = LedgerHarness.noon + 1 } == ["failed"])
        #expect(try await found { $0.from = LedgerHarness.noon + 2 } == ["other"])
        await ledger.close(within: .seconds(600))
    }
}

extension LedgerUsage {
    /// What a story out of the tables has.
    fileprivate var shown: LedgerUsage {
        var usage = self
        (usage.charactersIn, usage.charactersOut, usage.cacheWrites) = (nil, nil, nil)
        return usage
    }
}
