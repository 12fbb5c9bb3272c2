import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// How long the beginning of a stream is waited for, and who waits for its end: through the whole door, over connections, on a clock that the test moves.
@Suite(.timeLimit(.minutes(5))) struct FirstEventTests {
    private let time = ManualTime()

    /// One streamed chat on its way.
    private struct Chat {
        let server: PlayedServer
        /// Rings when the head of the upstream's answer has been taken note of.
        var heads: AsyncStream<Void>.AsyncIterator
        /// Status and body.
        let answer: Task<(status: Int, body: String), any Error>
    }

    private func chat(head: Duration = .zero, firstToken: Duration = .zero) async throws -> Chat {
        let server = try await PlayedServer()
        let heads = AsyncStream.makeStream(of: Void.self)
        let transport = Played(transport: try TransportBench.transport(), port: server.port, heads: heads.continuation)
        var limits = ChatCompletionsRoute.Limits.fixture
        (limits.head, limits.firstToken) = (head, firstToken)
        let door = try FrontDoor.fixture(transport, time: time.source, limits: limits)
        let body = #"{"model":"llama-3.3-70b","stream":true,"messages":[{"role":"user","content":"x"}]}"#
        let answer = Task { try await door.answer(toChat: body) }
        return Chat(server: server, heads: heads.stream.makeAsyncIterator(), answer: answer)
    }

    /// While nobody sleeps but the watch over the deadlines.
    private func pass(seconds: Int) async {
        for _ in 0..<seconds {
            await time.waitForSleepers()
            time.advance(by: .seconds(1))
        }
    }

    private static let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

    private static func chunk(_ event: String) -> String {
        let text = "data: \(event)\n\n"
        return String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n"
    }

    private static let text = chunk(
        #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"part"}]},"finishReason":"stop"}"#)

    @Test func `Without a head the attempt is given up`() async throws {
        let chat = try await chat(head: .seconds(5), firstToken: .seconds(20))
        let peer = await chat.server.accept()
        await peer.request()
        await pass(seconds: 4)
        try await peer.send("HTTP/1.1 103 Early Hints\r\n\r\n")
        await pass(seconds: 1)
        await peer.closed()
        let (status, body) = try await chat.answer.value
        #expect(
            status == 504 && body.contains("upstream_timeout")
                && body.contains("sent no response head within head_timeout"), "\(body)")
    }

    @Test func `What follows the head may take longer`() async throws {
        var chat = try await chat(head: .seconds(5))
        let peer = await chat.server.accept()
        await peer.request()
        await pass(seconds: 4)
        try await peer.send(Self.head)
        _ = await chat.heads.next()
        await pass(seconds: 100)
        try await peer.send(Self.text + Self.chunk("[DONE]") + "0\r\n\r\n")
        let (status, body) = try await chat.answer.value
        #expect(status == 200 && body.contains("part") && body.hasSuffix("data: [DONE]\n\n"), "\(body)")
    }

    @Test func `The first event has its own limit behind the head`() async throws {
        var chat = try await chat(head: .seconds(5), firstToken: .seconds(20))
        let peer = await chat.server.accept()
        await peer.request()
        try await peer.send(Self.head)
        _ = await chat.heads.next()
        await pass(seconds: 20)
        await peer.closed()
        let (status, body) = try await chat.answer.value
        #expect(status == 504 && body.contains("sent no first event within first_token_timeout"), "\(body)")
    }

    @Test func `Whichever limit comes first counts`() async throws {
        let chat = try await chat(head: .seconds(20), firstToken: .seconds(5))
        let peer = await chat.server.accept()
        await peer.request()
        await pass(seconds: 5)
        await peer.closed()
        let (status, body) = try await chat.answer.value
        #expect(status == 504 && body.contains("first_token_timeout"), "\(body)")
    }

    // MARK: Behind the finish reason

    @Test func `What comes late behind a finish reason is waited for`() async throws {
        var chat = try await chat()
        let peer = await chat.server.accept()
        await peer.request()
        try await peer.send(Self.head + Self.text)
        _ = await chat.heads.next()
        _ = await chat.heads.next()
        await pass(seconds: 10)
        try await peer.send(
            Self.chunk(
                #"{"index":0,"message":{"toolCalls":[{"id":"x","type":"FUNCTION","name":"f","arguments":"{}"}]},"finishReason":"tool_calls"}"#
            ))
        _ = await chat.heads.next()
        await pass(seconds: 10)
        try await peer.send(Self.chunk("[DONE]") + "0\r\n\r\n")
        let (status, body) = try await chat.answer.value
        #expect(
            status == 200 && body.contains("part") && body.contains(#""name":"f""#)
                && body.contains(#""finish_reason":"tool_calls""#), "\(body)")
        #expect(body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `An upstream that says no more has ended`() async throws {
        var chat = try await chat()
        let peer = await chat.server.accept()
        await peer.request()
        try await peer.send(Self.head + Self.text)
        _ = await chat.heads.next()
        _ = await chat.heads.next()
        await pass(seconds: 15)
        let (status, body) = try await chat.answer.value
        #expect(status == 200 && body.contains("part") && body.hasSuffix("data: [DONE]\n\n"), "\(body)")
        await peer.closed()
    }

    /// No time passes on its clock: nobody waits for anything.
    @Test func `Nobody waits for a body that stays open behind the last event`() async throws {
        let chat = try await chat()
        let peer = await chat.server.accept()
        await peer.request()
        try await peer.send(Self.head + Self.text + Self.chunk("[DONE]"))
        let (status, body) = try await chat.answer.value
        #expect(status == 200 && body.contains("part") && body.hasSuffix("data: [DONE]\n\n"), "\(body)")
        // It is not waited for in vain beside, either.
        await peer.closed()
    }
}

/// Sends everything to a port of this machine, and rings when a body begins to be read.
private struct Played: HTTPTransport {
    let transport: NIOTransport
    let port: Int
    let heads: AsyncStream<Void>.Continuation

    func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws -> TransportResponse {
        var request = request
        (request.url, request.known) = ("http://127.0.0.1:\(port)/v1", nil)
        var response = try await transport.send(request, until: deadline)
        // On the client's event loop, as it would be with real ones.
        let (feed, body, heads) = (FakeTransport.Feed(), response.body, heads)
        let pump = Task {
            do {
                var pieces = body.makeAsyncIterator()
                while true {
                    await feed.awaited()
                    heads.yield()
                    guard let piece = try await pieces.next() else { break }
                    feed.send(piece)
                }
                feed.end()
            } catch {
                feed.end(throwing: error)
            }
        }
        feed.onCancel { pump.cancel() }
        response.body = feed.body
        return response
    }
}
