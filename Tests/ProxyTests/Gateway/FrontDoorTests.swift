import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct FrontDoorTests {
    /// A request's answer, as the door writes it.
    struct Seen {
        var head: HTTPResponseHead
        var body: String
        var json: JSONValue? { try? JSONDocument(parsing: Array(body.utf8)).root }
        func header(_ name: String) -> String? { head.headers.first(name: name) }
    }

    private func ask(
        _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders = [:], from address: String = "127.0.0.1"
    ) async throws -> Seen {
        try await ask(.fixture(), method, target, headers, from: address)
    }

    private func ask(
        _ door: FrontDoor, _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders = [:],
        from address: String = "127.0.0.1"
    ) async throws -> Seen {
        var headers = headers
        if !headers.contains(name: "host") { headers.add(name: "host", value: "localhost") }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        let peer = ClientPeer(
            remote: try SocketAddress(ipAddress: address, port: 4000),
            local: try SocketAddress(ipAddress: address, port: 80))
        let channel = NIOAsyncTestingChannel()
        try await door.respond(to: door.request(head, from: peer), on: .inParts(channel))
        await channel.testingEventLoop.run()
        var seen: HTTPResponseHead?
        var body = ""
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            switch part {
            case .head(let head): seen = head
            case .body(.byteBuffer(let bytes)): body += String(buffer: bytes)
            case .body, .end: break
            }
        }
        return Seen(head: try #require(seen), body: body)
    }

    private let bearer: HTTPHeaders = ["authorization": "Bearer \(FrontDoor.key)"]

    @Test func `The root names the endpoints`() async throws {
        let answer = try await ask(.GET, "/", from: "10.0.0.1")
        #expect(answer.head.status == .ok)
        #expect(answer.json?["name"]?.string == "ociai-proxy")
        #expect(answer.json?["mode"]?.string == "single")
        #expect(answer.json?["endpoints"]?.elements.contains { $0.equals("POST /v1/chat/completions") } == true)
    }

    @Test func `Every endpoint that the root names exists`() async throws {
        let door = try FrontDoor.fixture()
        let titles = try #require(
            try JSONDocument(parsing: Array(try await door.text(at: "/").utf8)).root["endpoints"]?.elements.compactMap(
                \.string))
        #expect(titles == ["GET /"] + door.endpoints.endpoints.dropFirst().flatMap(\.titles))
        for title in titles {
            let words = title.split(separator: " ")
            let endpoint = try #require(door.endpoints.match(String(words[1]))?.endpoint)
            #expect(
                endpoint.titles.contains(title)
                    && Set(words[0].split(separator: ",").map(String.init)).isSubset(
                        of: endpoint.methods.map(\.rawValue))
            )
        }
    }

    @Test func `An unknown path is four oh four in JSON`() async throws {
        let answer = try await ask(.GET, "/v1/dashboard/billing/usage?x=1")
        #expect(answer.head.status == .notFound)
        #expect(answer.header("content-type") == "application/json")
        #expect(answer.json?["error"]?["code"]?.string == "unknown_path")
    }

    /// Clients of OpenAI's other interfaces are told what to set; nobody else is.
    @Test(arguments: ["/v1/billing", "/v1/completions2", "/v1/messages/batches", "/v1/conversations"])
    func `An unknown path is told as one`(path: String) async throws {
        let answer = try await ask(.POST, path)
        #expect(answer.head.status == .notFound)
        #expect(answer.json?["error"]?["message"]?.string?.hasPrefix("Unknown path \(path.quotable).") == true)
    }

    @Test(arguments: [("gzip", true), ("br", true), ("identity", false), ("Identity", false), ("", false)])
    func `A packed body is refused in words`(coding: String, isRefused: Bool) throws {
        let door = try FrontDoor.fixture()
        func refusal(_ method: HTTPMethod, _ uri: String, key: String = FrontDoor.key) -> Failure? {
            door.screen(
                HTTPRequestHead(
                    version: .http1_1, method: method, uri: uri,
                    headers: ["authorization": "Bearer \(key)", "content-encoding": coding])
            ).refusal
        }
        #expect(refusal(.POST, "/v1/chat/completions")?.status == (isRefused ? 415 : nil))
        if isRefused {
            #expect(refusal(.POST, "/v1/embeddings")?.message.contains("content-encoding \(coding.quotable)") == true)
        }
        #expect(
            refusal(.GET, "/v1/models") == nil && refusal(.POST, "/v1/chat/completions", key: "other")?.status == 401)
    }

    @Test func `A wrong method says which is right`() throws {
        let door = try FrontDoor.fixture()
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/chat/completions")
        let refusal = try #require(door.screen(head).refusal)
        let answer = door.refusal(refusal, to: head)
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.headers.first(name: "allow") == "POST")
    }

    @Test func `A client's own request ID comes back`() async throws {
        #expect(try await ask(.GET, "/", ["x-request-id": "abc-123"]).header("x-request-id") == "abc-123")
    }

    @Test(arguments: ["", "has blank", "caf\u{e9}", String(repeating: "x", count: 129), "a\u{7f}"])
    func `An odd request ID is replaced`(id: String) async throws {
        let answered = try #require(try await ask(.GET, "/", ["x-request-id": id]).header("x-request-id"))
        #expect(answered.hasPrefix("req_") && answered != id)
    }

    @Test func `Every answer has a request ID and CORS headers`() async throws {
        for (method, target) in [
            (HTTPMethod.GET, "/"), (.GET, "/nope"), (.GET, "/v1/chat/completions"), (.OPTIONS, "/v1/models"),
        ] {
            let answer = try await ask(method, target, ["origin": "https://app.example"])
            #expect(answer.header("x-request-id") != nil)
            #expect(answer.header("access-control-allow-origin") == "*")
            #expect(answer.header("access-control-expose-headers")?.contains("x-request-id") == true)
        }
    }

    @Test func `A preflight echoes what was asked`() async throws {
        let answer = try await ask(
            .OPTIONS, "/v1/chat/completions",
            [
                "origin": "https://app.example", "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, x-stainless-os",
            ])
        #expect(answer.head.status == .noContent)
        #expect(answer.header("access-control-allow-methods") == "POST")
        #expect(answer.header("access-control-allow-headers") == "authorization, x-stainless-os")
        #expect(Int(answer.header("access-control-max-age") ?? "") ?? 0 > 0)
        #expect(answer.header("content-length") == nil)
    }

    @Test func `Only listed origins are echoed`() async throws {
        let door = try FrontDoor.fixture(cors: ["https://app.example"])
        #expect(
            try await ask(door, .GET, "/", ["origin": "https://app.example"]).header("access-control-allow-origin")
                == "https://app.example")
        let other = try await ask(door, .GET, "/", ["origin": "https://evil.example"])
        #expect(other.header("access-control-allow-origin") == nil)
        #expect(other.header("vary") == "origin")
    }

    @Test func `Models are listed for the operator and for keys`() async throws {
        let local = try await ask(.GET, "/v1/models")
        #expect(local.head.status == .ok)
        #expect(local.json?["data"]?.elements.compactMap { $0["id"]?.string } == ["grok-4", "llama-3.3-70b"])
        let entry = try #require(local.json?["data"]?.elements.first { _ in true })
        #expect(
            entry["object"]?.string == "model" && entry["created"]?.int == 1_700_000_000
                && entry["owned_by"]?.string == "xai")
        #expect(entry["oci_model_id"]?.string == "xai.grok-4")
        #expect(try await ask(.GET, "/models/", bearer, from: "10.0.0.1").head.status == .ok)
    }

    @Test func `Models are not for strangers`() async throws {
        let answer = try await ask(.GET, "/v1/models", from: "10.0.0.1")
        #expect(answer.head.status == .unauthorized)
        #expect(answer.header("www-authenticate") == "Bearer")
        #expect(answer.json?["error"]?["message"]?.string?.contains("Authorization: Bearer") == true)
        #expect(try await ask(.GET, "/v1/models", ["authorization": "Bearer wrong"]).head.status == .unauthorized)
        #expect(try await ask(try .fixture(socketOwner: 33), .GET, "/v1/models").head.status == .unauthorized)
    }

    @Test func `One model is found by name and by full ID`() async throws {
        #expect(try await ask(.GET, "/v1/models/grok-4").json?["id"]?.string == "grok-4")
        #expect(try await ask(.GET, "/v1/models/xai.grok-3").json?["oci_model_id"]?.string == "xai.grok-3")
        let unknown = try await ask(.GET, "/v1/models/grok-5")
        #expect(unknown.head.status == .notFound)
        #expect(unknown.json?["error"]?["code"]?.string == "model_not_found")
        #expect(unknown.json?["error"]?["message"]?.string?.contains("'grok-4'") == true)
    }

    @Test func `A head request has the headers and no body`() async throws {
        let answer = try await ask(.HEAD, "/health")
        #expect(answer.head.status == .ok)
        #expect(answer.body == "")
        #expect(Int(answer.header("content-length") ?? "") ?? 0 > 0)
    }

    @Test func `Health tells of the account`() async throws {
        let answer = try await ask(.GET, "/health", from: "10.0.0.1")
        #expect(answer.head.status == .ok)
        #expect(answer.json?["status"]?.string == "healthy")
        #expect(answer.json?["accounts"]?["default"]?.bool == true)
        #expect(answer.json?["healthy_accounts"]?.int == 1 && answer.json?["total_accounts"]?.int == 1)
        #expect(answer.json?["providers"]?.kind == .object && answer.json?["total_providers"]?.int == 0)
    }

    @Test func `An account that refuses its key is unhealthy at once`() async throws {
        let transport = FakeTransport(status: 401, body: #"{"code":"NotAuthenticated","message":"no"}"#)
        let time = ManualTime().source
        let router = try Router.fixture(transport, time: time)
        let door = try FrontDoor.fixture(over: router, time: time)
        let monitor = Monitor(router: router, broken: 0, interval: .seconds(30), time: time, logger: door.logger)
        await monitor.round()
        let answer = try await ask(door, .GET, "/health")
        #expect(answer.head.status == .serviceUnavailable)
        #expect(answer.json?["status"]?.string == "unhealthy")
    }

    @Test(arguments: [
        ("", 200), ("?account=default", 200), ("?model=llama-3.3-70b", 200),
        ("?account=default&model=llama-3.3-70b", 200), ("?account=nobody", 404),
        ("?model=nobody", 404), ("?acount=default", 400), ("?account=", 400), ("?model", 400), ("?account=%zz", 400),
        ("?account=default&account=x", 400),
    ])
    func `A reset takes what it knows and nothing else`(query: String, status: Int) async throws {
        let door = try FrontDoor.fixture(FakeTransport(body: "{}"))
        let answer = try await ask(
            door, .POST, "/admin/circuit-breaker/reset\(query)", ["authorization": "Bearer \(FrontDoor.key)"])
        #expect(Int(answer.head.status.code) == status, "\(answer.json.debugDescription)")
        if status == 200 { #expect(answer.json?["reset"]?.elements.map(\.string) == ["default"]) }
    }

    @Test func `Test OCI reports what the call said`() async throws {
        let good = try await ask(
            try .fixture(
                FakeTransport(body: #"{"items":[{"id":"a","displayName":"xai.a"},{"id":"b","displayName":"xai.b"}]}"#)),
            .GET, "/test-oci")
        #expect(good.head.status == .ok)
        #expect(good.json?["status"]?.string == "ok")
        let entry = try #require(good.json?["accounts"]?.elements.first { _ in true })
        #expect(
            entry["id"]?.string == "default" && entry["ok"]?.bool == true && entry["models"]?.int == 2
                && entry["error"]?.isNull == true)
        #expect(
            entry["region"]?.string == "us-chicago-1" && entry["endpoint"]?.string == "http://127.0.0.1:9"
                && entry["latency_ms"]?.int != nil)

        let bad = try await ask(
            try .fixture(FakeTransport { _ in throw TransportError.cannotConnect("connection refused") }), .GET,
            "/test-oci")
        #expect(bad.head.status == .serviceUnavailable)
        #expect(bad.json?["status"]?.string == "failed")
        #expect(
            bad.json?["accounts"]?.elements.first { _ in true }?["error"]?.string?.contains("connection refused")
                == true)
    }

    @Test func `400 who test the accounts make one call`() async throws {
        let transport = FakeTransport(body: #"{"items":[]}"#)
        let door = try FrontDoor.fixture(transport)
        let statuses = try await withThrowingTaskGroup(of: HTTPResponseStatus.self) { group in
            for _ in 0..<400 { group.addTask { try await ask(door, .GET, "/test-oci", bearer).head.status } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(statuses == [.ok])
        #expect(transport.requests.count == 1)
    }

    @Test func `What calls upstreams or reads files costs the key's minute`() async throws {
        let door = try FrontDoor.fixture(FakeTransport(body: #"{"items":[]}"#), rateLimit: 2)
        #expect(try await ask(door, .GET, "/test-oci", bearer).head.status == .ok)
        let second = try await ask(door, .GET, "/test-oci", bearer)
        #expect(second.head.status == .ok && second.header("x-ratelimit-remaining-requests") == "0")
        #expect(try await ask(door, .GET, "/test-oci", bearer).head.status == .tooManyRequests)
        #expect(try await ask(door, .POST, "/v1/reload", bearer).head.status == .tooManyRequests)
        #expect(try await ask(door, .GET, "/stats/accounts", bearer).head.status == .ok, "what only looks is free")
    }
}
