import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// `rate_limit` as a client meets it.
@Suite struct RateLimitTests {
    private let time = ManualTime()

    private func post(
        _ door: FrontDoor, _ target: String = "/v1/chat/completions", key: String = FrontDoor.key
    ) async throws -> (head: HTTPResponseHead, json: JSONValue?) {
        let headers: HTTPHeaders = ["host": "localhost", "authorization": "Bearer \(key)"]
        let head = HTTPRequestHead(
            version: .http1_1, method: target == "/v1/models" ? .GET : .POST, uri: target, headers: headers)
        let address = try SocketAddress(ipAddress: "10.0.0.1", port: 4000)
        let channel = NIOAsyncTestingChannel()
        try await door.respond(
            to: door.request(head, from: .init(remote: address, local: address)), on: .inParts(channel))
        await channel.testingEventLoop.run()
        var seen: HTTPResponseHead?
        var body: [UInt8] = []
        while let part = try await channel.readOutbound(as: HTTPServerResponsePart.self) {
            switch part {
            case .head(let head): seen = head
            case .body(.byteBuffer(let bytes)): body += Array(buffer: bytes)
            case .body, .end: break
            }
        }
        return (try #require(seen), try? JSONDocument(parsing: body).root)
    }

    @Test func `The request beyond it is refused in the form that clients know`() async throws {
        let door = try FrontDoor.fixture(time: time.source, rateLimit: 2)
        for remaining in ["1", "0"] {
            let answer = try await post(door)
            #expect(answer.head.status == .badRequest, "it is let in, and its body is no JSON")
            #expect(answer.head.headers["x-ratelimit-limit-requests"] == ["2"])
            #expect(answer.head.headers["x-ratelimit-remaining-requests"] == [remaining])
        }
        time.advance(by: .milliseconds(500))
        let refused = try await post(door)
        #expect(refused.head.status == .tooManyRequests)
        #expect(refused.head.headers["retry-after"] == ["30"])
        #expect(refused.head.headers["x-ratelimit-remaining-requests"] == ["0"])
        #expect(refused.head.headers["x-ratelimit-reset-requests"] == ["59.5s"])
        #expect(refused.head.headers["x-should-retry"].isEmpty, "waiting helps")
        #expect(refused.json?["error"]?["type"]?.string == "rate_limit_error")
        #expect(refused.json?["error"]?["code"]?.string == "rate_limit_exceeded")
        time.advance(by: .seconds(30))
        #expect(try await post(door).head.status == .badRequest)
    }

    @Test func `It holds for the routes that cost something together`() async throws {
        let door = try FrontDoor.fixture(time: time.source, rateLimit: 4)
        for target in ["/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "/v1/chat/completions"] {
            #expect(try await post(door, target).head.status == .badRequest, "let in, and the body is no JSON")
        }
        #expect(try await post(door, "/admin/models/refresh").head.status == .tooManyRequests)
        #expect(try await post(door, "/v1/embeddings").head.status == .tooManyRequests)
        let models = try await post(door, "/v1/models")
        #expect(models.head.status == .ok && models.head.headers["x-ratelimit-limit-requests"].isEmpty)
    }

    @Test func `A wrong key has no bucket`() async throws {
        let rates = RequestRates()
        let door = try FrontDoor.fixture(time: time.source, rateLimit: 1, rates: rates)
        for number in 0..<5 { #expect(try await post(door, key: "wrong-\(number)").head.status == .unauthorized) }
        #expect(rates.refused.isEmpty)
    }

    @Test func `A limit of another door holds at once for the same bucket`() async throws {
        let rates = RequestRates()
        let before = try FrontDoor.fixture(time: time.source, rateLimit: 10, rates: rates)
        for _ in 0..<10 { _ = try await post(before) }
        #expect(try await post(before).head.headers["retry-after"] == ["6"])
        let after = try FrontDoor.fixture(time: time.source, rateLimit: 1, rates: rates)
        #expect(try await post(after).head.headers["retry-after"] == ["60"])
        let unlimited = try FrontDoor.fixture(time: time.source, rates: rates)
        let answer = try await post(unlimited)
        #expect(answer.head.status == .badRequest && answer.head.headers["x-ratelimit-limit-requests"].isEmpty)
    }

    @Test func `A refusal by the head alone names the key in the log and the metrics`() async throws {
        let rates = RequestRates()
        let door = try FrontDoor.fixture(time: time.source, rateLimit: 1, rates: rates)
        _ = try await post(door)
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/v1/rerank", headers: ["authorization": "Bearer \(FrontDoor.key)"])
        let refusal = try #require(door.screen(head).refusal)
        let answer = door.refusal(refusal, to: head)
        #expect(answer.status == .tooManyRequests && answer.headers.contains(name: "retry-after"))
        #expect(rates.refused.map(\.key) == ["default"] && rates.refused.map(\.count) == [1])
        #expect(try await door.text(at: "/metrics").contains("ociai_rate_limited_total{key=\"default\"} 1\n"))
    }
}
