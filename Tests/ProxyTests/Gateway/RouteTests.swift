import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct RouteTests {
    private let table: EndpointTable

    init() throws { table = try FrontDoor.fixture().endpoints }

    /// The endpoint of a target, and the rest of the path where it takes one.
    private func endpoint(_ target: String) -> String? {
        table.match(target).map { match in match.endpoint.title + (match.rest.map { " \($0)" } ?? "") }
    }

    @Test func `The whole URL is a target too`() {
        #expect(endpoint("http://localhost:8080/v1/chat/completions?a=http://b/c") == "POST /v1/chat/completions")
        #expect(endpoint("HTTPS://proxy.example/health") == "GET /health")
        #expect(endpoint("http://localhost:8080") == "GET /")
        #expect(endpoint("ftp://localhost/health") == nil)
    }

    @Test(arguments: [
        "/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions", "//v1/chat/completions",
        "/v1//chat/completions/",
        "/v1/chat/completions?api-version=1", "/v1/v1/v1/chat//completions//",
    ])
    func `Every base URL that people type works`(target: String) {
        #expect(endpoint(target) == "POST /v1/chat/completions")
    }

    @Test(arguments: [
        ("/", "GET /"), ("", "GET /"), ("/v1", "GET /"), ("/v1/", "GET /"), ("/?x=1", "GET /"),
        ("/health", "GET /health"), ("/v1/health/", "GET /health"),
        ("/v1/models", "GET /v1/models"), ("/models/", "GET /v1/models"), ("/v1//models", "GET /v1/models"),
        ("/v1/models/grok-4", "GET /v1/models/{id} grok-4"),
        ("/v1/models/openrouter/meta/llama-3.1", "GET /v1/models/{id} openrouter/meta/llama-3.1"),
        ("/v1/models/openrouter%2Fmeta%2Fllama-3", "GET /v1/models/{id} openrouter/meta/llama-3"),
        ("/test-oci", "GET /test-oci"), ("/v1/test-oci", "GET /test-oci"),
        ("/stats/accounts", "GET /stats/accounts"), ("/v1/stats/circuit-breaker/", "GET /stats/circuit-breaker"),
        ("/stats/queue", "GET /stats/queue"),
        ("/stats/concurrency?x=1", "GET /stats/concurrency"), ("/metrics", "GET /metrics"),
        ("/admin/circuit-breaker/reset?account=a", "POST /admin/circuit-breaker/reset"),
    ])
    func `Routes`(target: String, route: String) {
        #expect(endpoint(target) == route)
    }

    @Test(arguments: [
        "/chat", "/v1/chat/completions/extra", "/v2/models", "/healthz", "/v1/dashboard/billing/usage", "/stats",
        "/stats/none", "/admin", "/admin/circuit-breaker", "/models/%zz", "/models/%ff",
    ])
    func `What is not served is no route`(target: String) {
        #expect(endpoint(target) == nil)
    }

    @Test(
        arguments: [
            ("/a?account=x", "x"), ("/a?b=1&account=a%20b&c", "a b"), ("/a?account", ""), ("/a?account=x=y", "x=y"),
            ("/a", nil), ("/a?accounts=x", nil),
            ("/a?account=%zz", nil), ("/a?account=x#f", "x"), ("/a#?account=x", "x"),
        ] as [(String, String?)])
    func `Reads the query`(target: String, value: String?) {
        #expect(RequestTarget.query("account", of: target) == value)
    }

    // MARK: What strangers' targets cost

    @Test func `Many versions are one as long as the target is short enough`() {
        let many = String(repeating: "/v1", count: 2700) + "/health"
        #expect(many.utf8.count < RequestTarget.longest && endpoint(many) == "GET /health")
        #expect(endpoint(String(repeating: "/", count: RequestTarget.longest - 6) + "health") == "GET /health")
        #expect(endpoint(String(repeating: "/", count: RequestTarget.longest - 5) + "health") == nil)
        #expect(endpoint(String(repeating: "/v1", count: 10_000) + "/health") == nil)
    }

    @Test func `A mark behind a separator makes no other separator`() {
        #expect(endpoint("/health?\u{301}x") == "GET /health")
        #expect(endpoint("/health/\u{301}") == nil)
        #expect(endpoint("/v1/models/a/\u{301}") == "GET /v1/models/{id} a/\u{301}")
        #expect(RequestTarget.query("account", of: "/a?\u{301}&account=x&\u{301}=y") == "x")
        #expect(RequestTarget.query("account", of: "/a?account=\u{301}x") == "\u{301}x")
        #expect(RequestTarget.withoutQuery("/a?\u{301}b?c") == "/a")
    }

    @Test(arguments: [HTTPMethod.GET, .POST, .OPTIONS])
    func `A long target is nobody's`(method: HTTPMethod) throws {
        let door = try FrontDoor.fixture()
        for (target, isTooLong) in [
            (String(repeating: "/v1", count: 10_000), true),
            ("/v1/models/" + String(repeating: "a", count: 8192), true),
            ("/health?" + String(repeating: "a", count: 8192), true),
            ("/health?" + String(repeating: "a", count: 8184), false),
        ] {
            let refusal = door.screen(
                HTTPRequestHead(
                    version: .http1_1, method: method, uri: target,
                    headers: ["authorization": "Bearer \(FrontDoor.key)"])
            ).refusal
            #expect((refusal?.status == 414) == isTooLong)
        }
    }
}
