import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What goes out to an OpenAI-compatible provider beside the body.
@Suite struct ProviderTests {
    private func headers(at url: String, token: String? = "sk-1234") async throws -> HTTPHeaders {
        let seen = Mutex<HTTPHeaders?>(nil)
        let transport = FakeTransport { request in
            seen.withLock { $0 = request.headers }
            return TransportResponse(status: 200, headers: [:], body: ResponseBody.fed([#"{"data":[]}"#]))
        }
        let settings = ProviderSettings(
            id: "p", name: "p", baseURL: try #require(BaseURL(url)), token: token.map { Secret($0) })
        _ = try await Provider(settings, transport: transport, time: ManualTime().source).allModels()
        return try #require(seen.withLock { $0 })
    }

    @Test func `Anthropic gets its own names as well`() async throws {
        for url in ["https://api.anthropic.com/v1", "https://anthropic.com"] {
            let headers = try await headers(at: url)
            #expect(
                headers["authorization"] == ["Bearer sk-1234"] && headers["x-api-key"] == ["sk-1234"]
                    && headers["anthropic-version"].count == 1)
        }
    }

    @Test func `Nobody else does`() async throws {
        for url in ["https://api.openai.com/v1", "https://notanthropic.com/v1", "https://anthropic.com.example/v1"] {
            let headers = try await headers(at: url)
            #expect(
                headers["authorization"] == ["Bearer sk-1234"] && headers["x-api-key"].isEmpty
                    && headers["anthropic-version"].isEmpty)
        }
    }

    @Test func `Without a token none is sent`() async throws {
        let headers = try await headers(at: "http://127.0.0.1:11434/v1", token: nil)
        #expect(!headers.contains(name: "authorization") && headers.contains(name: "user-agent"))
    }

    @Test func `A refusal whose body never ends is a time out and one that breaks is a refusal`() async throws {
        let settings = ProviderSettings(
            id: "p", name: "p", baseURL: try #require(BaseURL("http://127.0.0.1:1")), token: nil)
        let provider = Provider(settings, transport: FakeTransport(body: ""), time: ManualTime().source)
        func ending(with error: any Error) -> TransportResponse {
            let body = FakeTransport.Feed()
            body.end(throwing: error)
            return TransportResponse(status: 400, headers: [:], body: body.body)
        }
        await #expect(throws: MovingDeadline.Exceeded(cause: .request)) {
            try await provider.successful(ending(with: MovingDeadline.Exceeded(cause: .request)))
        }
        await #expect(throws: Failure.self) {
            try await provider.successful(ending(with: TransportError.connectionLost("x")))
        }
    }

    @Test(arguments: [(402, 429), (403, 502), (410, 404), (529, 503)])
    func `A refusal remembers its status`(status: Int, client: Int) async throws {
        let settings = ProviderSettings(
            id: "p", name: "p", baseURL: try #require(BaseURL("http://127.0.0.1:1")), token: nil)
        let provider = Provider(settings, transport: FakeTransport(body: ""), time: ManualTime().source)
        let response = TransportResponse(
            status: status, headers: ["retry-after-ms": "1500"], body: ResponseBody.fed(["{}"]))
        let error = await #expect(throws: Failure.self) { try await provider.successful(response) }
        #expect(error?.upstreamStatus == status && error?.status == client)
        if status == 529 { #expect(error?.retryAfter == 2) }

        var statistics = UpstreamStatistics()
        statistics.end(AttemptEnding(.failed, error: error, usage: nil, firstEvent: nil), at: .zero, took: .zero)
        #expect(statistics.lastFailure?.failure.upstreamStatus == status)
    }

    @Test func `A status of success has an answer but for those without a body`() async throws {
        let settings = ProviderSettings(
            id: "p", name: "p", baseURL: try #require(BaseURL("http://127.0.0.1:1")), token: nil)
        let provider = Provider(settings, transport: FakeTransport(body: ""), time: ManualTime().source)
        func response(_ status: Int) -> TransportResponse {
            TransportResponse(status: status, headers: [:], body: ResponseBody.fed(["{}"]))
        }
        for status in [200, 201, 202, 203, 206] {
            #expect(try await provider.successful(response(status)).status == status)
        }
        for status in [204, 205] {
            let error = await #expect(throws: Failure.self) { try await provider.successful(response(status)) }
            #expect(
                error?.code == "upstream_empty_answer" && error?.about == .failed && error?.upstreamStatus == status)
        }
        let error = await #expect(throws: Failure.self) { try await provider.successful(response(302)) }
        #expect(error?.upstreamStatus == 302)
    }
}
