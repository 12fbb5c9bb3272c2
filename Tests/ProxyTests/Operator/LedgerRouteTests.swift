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

    @Test func `Without a ledger both say so`() async throws {
        for path in ["/admin/ledger/keys", "/admin/ledger/export"] {
            let answer = try await door(nil).answer(.GET, path)
            #expect(answer.status == 503)
            #expect(answer.body.contains("state_dir"))
        }
    }
}
