import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct RouteTests {
    @Test func theWholeURLIsATargetToo() {
        #expect(Route(target: "http://localhost:8080/v1/chat/completions?a=http://b/c") == .chatCompletions)
        #expect(Route(target: "HTTPS://proxy.example/health") == .health)
        #expect(Route(target: "http://localhost:8080") == .root)
        #expect(Route(target: "ftp://localhost/health") == nil)
    }

    @Test(arguments: [
        "/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions", "//v1/chat/completions", "/v1//chat/completions/",
        "/v1/chat/completions?api-version=1", "/v1/v1/v1/chat//completions//",
    ])
    func everyBaseURLThatPeopleTypeWorks(target: String) {
        #expect(Route(target: target) == .chatCompletions)
    }

    @Test(arguments: [
        ("/", Route.root), ("", .root), ("/v1", .root), ("/v1/", .root), ("/?x=1", .root), ("/health", .health), ("/v1/health/", .health),
        ("/v1/models", .models), ("/models/", .models), ("/v1//models", .models), ("/v1/models/grok-4", .model("grok-4")),
        ("/v1/models/openrouter/meta/llama-3.1", .model("openrouter/meta/llama-3.1")),
        ("/v1/models/openrouter%2Fmeta%2Fllama-3", .model("openrouter/meta/llama-3")), ("/test-oci", .testOCI), ("/v1/test-oci", .testOCI),
        ("/stats/accounts", .statistics(.accounts)), ("/v1/stats/circuit-breaker/", .statistics(.circuitBreaker)), ("/stats/queue", .statistics(.queue)),
        ("/stats/concurrency?x=1", .statistics(.concurrency)), ("/metrics", .metrics), ("/admin/circuit-breaker/reset?account=a", .resetBreakers),
    ])
    func routes(target: String, route: Route) {
        #expect(Route(target: target) == route)
    }

    @Test(arguments: ["/chat", "/v1/chat/completions/extra", "/v2/models", "/healthz", "/v1/dashboard/billing/usage", "/stats", "/stats/none", "/admin", "/admin/circuit-breaker", "/models/%zz", "/models/%ff"])
    func whatIsNotServedIsNoRoute(target: String) {
        #expect(Route(target: target) == nil)
    }

    @Test(arguments: [
        ("/a?account=x", "x"), ("/a?b=1&account=a%20b&c", "a b"), ("/a?account", ""), ("/a?account=x=y", "x=y"), ("/a", nil), ("/a?accounts=x", nil),
        ("/a?account=%zz", nil), ("/a?account=x#f", "x"), ("/a#?account=x", "x"),
    ] as [(String, String?)])
    func readsTheQuery(target: String, value: String?) {
        #expect(Route.query("account", of: target) == value)
    }

    // MARK: What strangers' targets cost

    @Test func manyVersionsAreOneAsLongAsTheTargetIsShortEnough() {
        let many = String(repeating: "/v1", count: 2700) + "/health"
        #expect(many.utf8.count < Route.longestTarget && Route(target: many) == .health)
        #expect(Route(target: String(repeating: "/", count: Route.longestTarget - 6) + "health") == .health)
        #expect(Route(target: String(repeating: "/", count: Route.longestTarget - 5) + "health") == nil)
        #expect(Route(target: String(repeating: "/v1", count: 10_000) + "/health") == nil)
    }

    @Test func aMarkBehindASeparatorMakesNoOtherSeparator() {
        #expect(Route(target: "/health?\u{301}x") == .health)
        #expect(Route(target: "/health/\u{301}") == nil)
        #expect(Route(target: "/v1/models/a/\u{301}") == .model("a/\u{301}"))
        #expect(Route.query("account", of: "/a?\u{301}&account=x&\u{301}=y") == "x")
        #expect(Route.query("account", of: "/a?account=\u{301}x") == "\u{301}x")
        #expect(Route.withoutQuery("/a?\u{301}b?c") == "/a")
    }

    @Test(arguments: [HTTPMethod.GET, .POST, .OPTIONS])
    func aLongTargetIsNobodys(method: HTTPMethod) throws {
        let door = try FrontDoor.fixture()
        for (target, isTooLong) in [
            (String(repeating: "/v1", count: 10_000), true), ("/v1/models/" + String(repeating: "a", count: 8192), true), ("/health?" + String(repeating: "a", count: 8192), true),
            ("/health?" + String(repeating: "a", count: 8184), false),
        ] {
            let refusal = door.screen(HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: ["authorization": "Bearer \(FrontDoor.key)"])).refusal
            #expect((refusal?.status == 414) == isTooLong)
        }
    }
}
