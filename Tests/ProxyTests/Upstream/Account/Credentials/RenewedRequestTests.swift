import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

/// What becomes of a request whose token is refused.
@Suite(.timeLimit(.minutes(5))) struct RenewedRequestTests {
    /// Gives out `token-1`, `token-2`, …
    private final class CountingSource: TokenSource {
        let renewal = TokenRenewal.beforeExpiry
        private let fetched = Atomic(0)
        var count: Int { fetched.load(ordering: .relaxed) }

        func fetch(at now: Int64) throws -> SessionToken {
            let number = fetched.add(1, ordering: .relaxed).newValue
            return try SessionToken("token-\(number)", key: try CredentialSamples.key.get(), source: "the test")
        }
    }

    private func account(_ source: CountingSource, _ transport: FakeTransport) throws -> OCIAccount {
        let time = ManualTime().source
        let plain = try OCIAccount.fixture(transport, time: time)
        return OCIAccount(
            id: plain.id, region: plain.region, compartment: plain.compartment, inference: plain.inference,
            management: plain.management,
            credentials: .token(TokenCache(account: "a", source: source, time: time, logger: .silent)),
            transport: transport, time: time)
    }

    private func transport(refusing token: String?) -> FakeTransport {
        FakeTransport { request in
            let authorization = request.headers.first(name: "authorization") ?? ""
            let isRefused = token.map { authorization.contains("ST$\($0)\"") } ?? true
            return TransportResponse(status: isRefused ? 401 : 200, headers: [:], body: ResponseBody.fed(["{}"]))
        }
    }

    @Test func `It is sent once more with a new token and the same body`() async throws {
        let (source, transport) = (CountingSource(), transport(refusing: "token-1"))
        let account = try account(source, transport)
        let request = try await account.request(.openAI(.chat, SplicedText(Array(#"{"a":1}"#.utf8))), isStreaming: true)
        #expect(try await account.send(request).status == 200)
        #expect(source.count == 2)
        let sent = transport.requests
        #expect(sent.count == 2)
        #expect(sent.map { $0.headers["x-content-sha256"] }.first == sent.map { $0.headers["x-content-sha256"] }.last)
        #expect(sent.map(\.url).first == sent.map(\.url).last)
        #expect(sent[1].body == sent[0].body)
        #expect(sent[1].headers["authorization"].count == 1)
        #expect(sent[1].headers["accept"] == ["application/json, text/event-stream"])
        #expect(sent[1].headers["authorization"].first?.contains("keyId=\"ST$token-2\"") == true)
    }

    @Test func `A second refusal is the answer`() async throws {
        let (source, transport) = (CountingSource(), transport(refusing: nil))
        let account = try account(source, transport)
        #expect(try await account.listModels(limit: 1).status == 401)
        #expect(transport.requests.count == 2)
        // Nor does the next request ask for tokens without end.
        #expect(try await account.listModels(limit: 1).status == 401)
        #expect(transport.requests.count == 3)
        #expect(source.count == 2)
    }

    @Test func `An API key is not tried twice`() async throws {
        let transport = transport(refusing: nil)
        #expect(try await OCIAccount.fixture(transport, time: ManualTime().source).listModels(limit: 1).status == 401)
        #expect(transport.requests.count == 1)
    }
}
