import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

private typealias Bench = TransportBench

@Suite(.timeLimit(.minutes(5))) struct RequestEchoTests {
    private func head(_ status: Int, _ id: String?) -> ResponseHead {
        ResponseHead(status: status, headers: id.map { ["opc-request-id": $0] } ?? [:])
    }

    @Test func `Another ID counts once the service has named ours`() {
        let habit = EchoHabit()
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "X/Y/Z")), "it may make up its own")
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "A/Y/Z")))
        #expect(RequestEcho(to: habit, id: "B").isContradicted(by: head(200, "A/Y/Z")))
        #expect(RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "AB")))
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "A")))
        #expect(!RequestEcho(to: habit, id: "B").isContradicted(by: head(200, nil)))
        #expect(!RequestEcho(to: habit, id: "B").isContradicted(by: head(502, "A")), "a gateway's own")
    }

    @Test func `A late second answer reaches nobody`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let habit = EchoHabit()
        // In one task: connections are kept by event loop.
        let calls = Bench.call {
            var results: [Result<String, any Error>] = []
            for id in ["first", "second", "third"] {
                var request = Bench.request(server.port)
                request.headers.add(name: RequestEcho.field, value: id)
                request.echo = RequestEcho(to: habit, id: id)
                do { results.append(.success(try await Bench.text(transport, request))) } catch {
                    results.append(.failure(error))
                }
            }
            return results
        }
        func answer(_ id: String, _ text: String) -> String {
            "HTTP/1.1 200 OK\r\nopc-request-id: \(id)/1/2\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
        }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(answer("first", "one"))
        await peer.request()
        // The service answers the first once more.
        try await peer.send(answer("first", "one again"))
        await peer.closed()
        let next = await server.accept()
        await next.request()
        try await next.send(answer("third", "three"))
        let results = try await calls.value
        #expect(try results[0].get() == "one" && results[2].get() == "three")
        #expect(throws: TransportError.self) { try results[1].get() }
    }

    @Test func `An accounts calls carry an ID of their own`() async throws {
        let transport = FakeTransport(body: #"{"items":[]}"#)
        let account = try OCIAccount.fixture(transport, time: ManualTime().source)
        for _ in 0..<2 { _ = try await account.probe(limit: 1) }
        let ids = transport.requests.compactMap { $0.headers.first(name: "opc-request-id") }
        #expect(ids.count == 2 && Set(ids).count == 2 && ids.allSatisfy { $0.utf8.count <= 32 })
        #expect(transport.requests.map { $0.echo?.id } == ids)
    }
}
