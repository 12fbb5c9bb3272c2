import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RoleTests {
    private static let keys: [ClientKey] = KeyRole.allCases.map { role in
        var limits = KeyLimits()
        limits.role = role
        return ClientKey(name: role.rawValue, value: Secret("key-of-the-\(role.rawValue)"), limits: limits)
    }

    private func status(_ method: HTTPMethod, _ path: String, as role: KeyRole, _ door: FrontDoor) async throws -> (
        status: Int, body: String
    ) {
        try await door.answer(method, path, headers: [:], key: "key-of-the-\(role.rawValue)")
    }

    /// What needs more than a client's role.
    @Test(arguments: [
        (HTTPMethod.GET, "/stats/accounts", KeyRole.viewer), (.GET, "/stats/concurrency", .viewer),
        (.GET, "/stats/circuit-breaker", .viewer), (.GET, "/stats/queue", .viewer), (.GET, "/metrics", .viewer),
        (.GET, "/test-oci", .viewer), (.GET, "/admin/ledger/keys", .viewer), (.GET, "/admin/ledger/export", .viewer),
        (.GET, "/admin/ledger/requests", .viewer), (.GET, "/why/x", .viewer), (.GET, "/dashboard/session", .viewer),
        (.GET, "/dashboard/state", .viewer), (.GET, "/dashboard/strips", .viewer), (.GET, "/dashboard/models", .viewer),
        (.GET, "/dashboard/usage", .viewer),
        (.POST, "/admin/circuit-breaker/reset", .admin), (.POST, "/v1/reload", .admin), (.GET, "/admin/keys", .admin),
        (.GET, "/admin/keys/x", .admin), (.DELETE, "/admin/keys/x", .admin), (.POST, "/admin/ledger/reprice", .admin),
    ])
    func `A role that is too small is refused, with the one that is needed`(
        method: HTTPMethod, path: String, needed: KeyRole
    ) async throws {
        let door = try FrontDoor.fixture(keys: Self.keys)
        for role in KeyRole.allCases {
            let answer = try await status(method, path, as: role, door)
            guard role < needed else {
                #expect(answer.status != 403 && answer.status != 401, "\(role): \(answer)")
                continue
            }
            #expect(answer.status == 403)
            #expect(answer.body.contains(#""code":"permission_denied""#))
            #expect(answer.body.contains("requires the role \(needed.rawValue)"))
            #expect(answer.body.contains(#"has the role \#(role.rawValue)"#))
            #expect(!answer.body.contains("key-of-the"))
        }
    }

    @Test(arguments: ["/v1/models", "/v1/usage", "/health", "/"])
    func `A client may use what is for clients`(path: String) async throws {
        let door = try FrontDoor.fixture(keys: Self.keys)
        for role in KeyRole.allCases { #expect(try await status(.GET, path, as: role, door).status == 200) }
    }

    @Test func `Every key may have the models refreshed`() throws {
        let door = try FrontDoor.fixture(keys: Self.keys)
        for role in KeyRole.allCases {
            let head = HTTPRequestHead(
                version: .http1_1, method: .POST, uri: "/admin/models/refresh",
                headers: ["x-api-key": "key-of-the-\(role.rawValue)"])
            #expect(door.screen(head).refusal == nil)
        }
    }

    /// A new endpoint for the operator must be added above.
    @Test func `Every endpoint with a role is in these tests`() throws {
        let paths = Set(try FrontDoor.fixture().endpoints.endpoints.filter { $0.access.role > .client }.map(\.path))
        #expect(
            paths == [
                "/stats/accounts", "/stats/concurrency", "/stats/circuit-breaker", "/stats/queue", "/metrics",
                "/test-oci", "/admin/circuit-breaker/reset", "/v1/reload", "/admin/keys", "/admin/keys/{name}",
                "/admin/ledger/{table}", "/admin/ledger/export", "/admin/ledger/reprice", "/admin/ledger/requests",
                "/why/{request-id}", "/dashboard/session", "/dashboard/state", "/dashboard/strips",
                "/dashboard/models", "/dashboard/usage", "/dashboard/events",
            ])
    }

    // MARK: Expiry

    @Test func `A key works until it expires`() async throws {
        let time = ManualTime()
        var key = ClientKey.fixture
        key.limits.expires = time.source.wallClock() + 10
        let door = try FrontDoor.fixture(time: time.source, keys: [key])
        #expect(try await door.answer(.GET, "/v1/models").status == 200)
        #expect(try await door.answer(.POST, "/v1/embeddings", "{}").status == 400)
        time.advance(by: .seconds(10))
        for (method, path) in [(HTTPMethod.GET, "/v1/models"), (.POST, "/v1/embeddings"), (.GET, "/metrics")] {
            let answer = try await door.answer(method, path, "{}")
            #expect(answer.status == 401)
            #expect(answer.body.contains("expired at"))
            #expect(!answer.body.contains(FrontDoor.key))
        }
    }

    // MARK: Models

    private static let bound: ClientKey = {
        var key = ClientKey.fixture
        key.limits.models = ["^llama-3[.]3-70b$"]
        try? key.models.add(key.limits.models[0])
        return key
    }()

    @Test(arguments: [
        ("/v1/chat/completions", #"{"model":"MODEL","messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/chat/completions", #"{"model":"MODEL","stream":true,"messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/responses", #"{"model":"MODEL","input":"x"}"#),
        ("/v1/responses/input_tokens", #"{"model":"MODEL","input":"x"}"#),
        ("/v1/messages", #"{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/messages", #"{"model":"MODEL","max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/messages/count_tokens", #"{"model":"MODEL","messages":[{"role":"user","content":"x"}]}"#),
        ("/v1/completions", #"{"model":"MODEL","prompt":"x"}"#),
        ("/v1/completions", #"{"model":"MODEL","prompt":["x","y"]}"#),
        ("/v1/embeddings", #"{"model":"MODEL","input":"x"}"#),
        ("/v1/rerank", #"{"model":"MODEL","query":"x","documents":["y"]}"#),
        ("/v1/images/generations", #"{"model":"MODEL","prompt":"x"}"#),
        ("/v1/audio/speech", #"{"model":"MODEL","input":"x"}"#), ("/v1/moderations", #"{"model":"MODEL","input":"x"}"#),
    ])
    func `A key that is bound to models gets no other, whatever the endpoint`(path: String, body: String) async throws {
        let transport = FakeTransport(status: 500, body: "{}")
        let door = try FrontDoor.fixture(
            over: try Router.fixture(transport, time: ManualTime().source, accounts: 1), time: ManualTime().source,
            keys: [Self.bound], aliases: [("*", "xai.grok-4"), ("cheap", "xai.grok-4")])
        // By an alias, by its id, and by a made-up name that the key's expression matches but that stands for another model.
        for model in ["grok-4", "xai.grok-4", "cheap", "llama-3.3-70b-mine"] {
            let answer = try await door.answer(.POST, path, body.replacing("MODEL", with: model))
            // What is for chats alone takes no made-up names.
            if answer.status == 404, model.hasPrefix("llama"), !path.contains("chat") { continue }
            #expect(answer.status == 403, "\(model): \(answer)")
            #expect(
                answer.body.contains("model_not_allowed") || answer.body.contains("permission_error"), "\(answer.body)")
        }
        #expect(transport.requests.isEmpty)
    }

    @Test func `The list holds what the key may use`() async throws {
        let door = try FrontDoor.fixture(keys: [Self.bound])
        let list = try await door.answer(.GET, "/v1/models").body
        #expect(list.contains("llama-3.3-70b"))
        #expect(!list.contains("grok"))
        #expect(try await door.answer(.GET, "/v1/models/grok-4").status == 403)
        #expect(try await door.answer(.GET, "/v1/models/llama-3.3-70b").status == 200)
    }

    @Test func `A fallback that the key may not use is passed over`() throws {
        let time = ManualTime().source
        let router = try Router.fixture(FakeTransport(status: 500, body: "{}"), time: time, accounts: 1)
        let route = ChatCompletionsRoute(
            directory: ModelDirectory(
                aliases: [("grok-4", "xai.grok-4"), ("llama-3.3-70b", "meta.llama-3.3-70b-instruct")],
                accounts: router.upstreams.map { ModelCatalog.Account($0.backend) }, time: time),
            quirks: ModelQuirks(), failover: Failover(router: router, retryAttempts: 0),
            fallbacks: ["a": ["grok-4", "llama-3.3-70b", "nobody-knows-it"]], limits: .fixture, time: time)
        let bound = Caller(name: "bound", limits: Self.bound.limits, models: Self.bound.models)
        #expect(route.fallbacks(of: "a", for: bound) == ["llama-3.3-70b", "nobody-knows-it"])
        #expect(route.fallbacks(of: "a", for: Caller(name: "free")).count == 3)
        #expect(route.fallbacks(of: "b", for: bound).isEmpty)
    }
}
