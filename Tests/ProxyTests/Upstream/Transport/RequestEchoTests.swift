import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy

private typealias Bench = TransportBench

@Suite(.timeLimit(.minutes(1))) struct RequestEchoTests {
    private func head(_ status: Int, _ id: String?) -> AnswerHead {
        AnswerHead(status: status, headers: id.map { ["opc-request-id": $0] } ?? [:])
    }

    @Test func anotherIdCountsOnceTheServiceHasNamedOurs() {
        let habit = EchoHabit()
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "X/Y/Z")), "it may make up its own")
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "A/Y/Z")))
        #expect(RequestEcho(to: habit, id: "B").isContradicted(by: head(200, "A/Y/Z")))
        #expect(RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "AB")))
        #expect(!RequestEcho(to: habit, id: "A").isContradicted(by: head(200, "A")))
        #expect(!RequestEcho(to: habit, id: "B").isContradicted(by: head(200, nil)))
        #expect(!RequestEcho(to: habit, id: "B").isContradicted(by: head(502, "A")), "a gateway's own")
    }

    @Test func aLateSecondAnswerReachesNobody() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let habit = EchoHabit()
        func call(_ id: String) -> Task<String, any Error> {
            var request = Bench.request(server.port)
            request.headers.add(name: RequestEcho.field, value: id)
            request.echo = RequestEcho(to: habit, id: id)
            let sent = request
            return Bench.call { try await Bench.text(transport, sent) }
        }
        func answer(_ id: String, _ text: String) -> String {
            "HTTP/1.1 200 OK\r\nopc-request-id: \(id)/1/2\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
        }
        let first = call("first")
        let peer = await server.accept()
        await peer.request()
        try await peer.send(answer("first", "one"))
        #expect(try await first.value == "one")
        let second = call("second")
        await peer.request()
        // The service answers the first once more.
        try await peer.send(answer("first", "one again"))
        await #expect(throws: TransportError.self) { try await second.value }
        await peer.closed()
        let third = call("third")
        let next = await server.accept()
        await next.request()
        try await next.send(answer("third", "three"))
        #expect(try await third.value == "three")
    }

    @Test func anAccountsCallsCarryAnIdOfTheirOwn() async throws {
        let transport = FakeTransport(body: #"{"items":[]}"#)
        let account = try OCIAccount.fixture(transport, time: ManualTime().source)
        for _ in 0..<2 { _ = try await account.probe(limit: 1) }
        let ids = transport.requests.compactMap { $0.headers.first(name: "opc-request-id") }
        #expect(ids.count == 2 && Set(ids).count == 2 && ids.allSatisfy { $0.utf8.count <= 32 })
        #expect(transport.requests.map { $0.echo?.id } == ids)
    }
}
