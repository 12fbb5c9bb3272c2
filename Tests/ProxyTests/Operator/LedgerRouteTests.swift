import LedgerTestSupport
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct LedgerRouteTests {
    private func door(_ ledger: KeptLedger? = KeptLedger()) throws -> FrontDoor {
        let time = ManualTime().source
        return try FrontDoor.fixture(
            over: try Router.fixture(FakeTransport(status: 500, body: "{}"), time: time, accounts: 1), time: time,
            ledger: ledger)
    }

    @Test func `A table is told by the names of its columns`() async throws {
        let answer = try await door().answer(.GET, "/admin/ledger/keys?from=2026-01-01&to=2026-02-01")
        #expect(answer.status == 200)
        #expect(
            answer.body
                == #"{"object":"ledger.table","subject":"keys","from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z","#
                + #""rows":[{"key":"alice","cost_nano_usd":null,"ms":1.5},{"key":null,"cost_nano_usd":3,"ms":0.5}]}"#)
    }

    @Test func `Rows come piece by piece`() async throws {
        let answer = try await door().answer(
            .GET,
            "/admin/ledger/export?level=attempt&format=csv&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00%2B01:00")
        #expect(answer.status == 200)
        #expect(answer.body == "attempt csv\n1767225600 1767308400\n")
    }

    @Test(arguments: [
        "/admin/ledger/nothing", "/admin/ledger/keys?from=x", "/admin/ledger/keys?since=2026-01-01",
        "/admin/ledger/keys?from=2026-02-01&to=2026-01-01", "/admin/ledger/export?format=xml",
        "/admin/ledger/export?level=", "/admin/ledger/export?key=alice",
    ])
    func `A question that cannot be answered is refused`(path: String) async throws {
        let status = try await door().answer(.GET, path).status
        #expect(status == 400 || status == 404)
    }

    @Test func `Costs are worked out anew by the prices of the moment`() async throws {
        let ledger = KeptLedger()
        var usage = LedgerUsage()
        (usage.truth, usage.prompt, usage.completion) = (.reported, 1000, 0)
        for (model, asked, upstream) in [
            ("xai.grok-4", "grok-4", "default"), ("m1", "cheap", "up"), ("m1", "up/m1", "up"), ("m2", "up/m2", "up"),
            ("m3", "m3", "gone"),
        ] {
            var entry = LedgerEntry(
                id: asked, at: 1_767_225_600_000_000, key: "k", dialect: "chat", endpoint: "/", status: 200)
            entry.model = asked
            entry.attempts = [
                LedgerAttempt(
                    number: 1, at: entry.at, upstream: upstream, model: model, region: nil, outcome: "succeeded",
                    total: 1)
            ]
            entry.attempts[0].usage = usage
            ledger.record(entry)
        }
        let prices = PriceTable(
            try [("xai.grok-4", "3"), ("cheap", "1"), ("up/m1", "2"), ("gone/m3", "4")].map { name, price in
                PriceTable.Entry(
                    name: name, price: try PriceText.price("\(price) in 0 out per 1M tokens"), origin: .configuration,
                    source: "test")
            })
        let time = ManualTime().source
        let door = try FrontDoor.fixture(
            over: try Router.fixture(FakeTransport(status: 500, body: "{}"), time: time, accounts: 1), time: time,
            ledger: ledger, prices: Prices(prices))
        for changed in [4, 0] {
            let answer = try await door.answer(.POST, "/admin/ledger/reprice", #"{"since":"2026-01-01"}"#)
            #expect(
                answer.body == #"{"object":"ledger.reprice","since":"2026-01-01T00:00:00Z","changed":\#(changed)}"#)
        }
        #expect(ledger.entries.map { $0.attempts[0].cost } == [3_000_000, 1_000_000, 2_000_000, nil, 4_000_000])
        let later = try await door.answer(.POST, "/admin/ledger/reprice", #"{"since":"2026-01-01T00:00:01Z"}"#)
        #expect(later.body.contains(#""changed":0"#))
    }

    @Test(arguments: ["", "[]", "{}", #"{"since":7}"#, #"{"since":"soon"}"#, #"{"since":"2026-01-01","to":"x"}"#])
    func `Without a moment no cost is worked out anew`(body: String) async throws {
        let answer = try await door().answer(.POST, "/admin/ledger/reprice", body)
        #expect(answer.status == 400)
    }

    @Test func `Without a ledger both say so`() async throws {
        for path in ["/admin/ledger/keys", "/admin/ledger/export"] {
            let answer = try await door(nil).answer(.GET, path)
            #expect(answer.status == 503)
            #expect(answer.body.contains("state_dir"))
        }
    }
}
