import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Proxy

private typealias Bench = TransportBench

/// A body that is handed over in the moment in which it comes.
@Suite("The transport: bodies that flow", .timeLimit(.minutes(5)))
struct BodySinkTests {
    private static let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    /// Takes as many pieces as it is told, and tells of each.
    private final class Sink: BodySink {
        var room: Int
        private(set) var text = ""
        private let told: AsyncStream<String>.Continuation?

        init(room: Int = .max, telling told: AsyncStream<String>.Continuation? = nil) {
            self.room = room
            self.told = told
        }

        func take(_ bytes: ByteBuffer) -> Bool {
            text += String(buffer: bytes)
            told?.yield(String(buffer: bytes))
            room -= 1
            return room > 0
        }
    }

    private static func body(_ response: TransportResponse) -> ResponseBody.AsyncIterator {
        response.body.makeAsyncIterator()
    }

    /// A body whose first piece has reached its sink.
    private static func flowing() async throws -> (server: PlayedServer, call: Task<Bool, any Error>, peer: Peer) {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let pieces = AsyncStream.makeStream(of: String.self)
        let call = Bench.call {
            let body = Self.body(try await transport.send(Bench.request(server.port)))
            return try await body.pour(into: Sink(telling: pieces.continuation))
        }
        var seen = pieces.stream.makeAsyncIterator()
        let peer = await server.accept()
        await peer.request()
        try await peer.send(head + "3\r\none\r\n")
        #expect(await seen.next() == "one")
        return (server, call, peer)
    }

    @Test func `The sink gets each piece as it comes, and the task hears of the end`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let pieces = AsyncStream.makeStream(of: String.self)
        let call = Bench.call {
            let body = Self.body(try await transport.send(Bench.request(server.port)))
            let sink = Sink(telling: pieces.continuation)
            let goesOn = try await body.pour(into: sink)
            return (goesOn, sink.text)
        }
        var seen = pieces.stream.makeAsyncIterator()
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.head + "3\r\none\r\n")
        #expect(await seen.next() == "one")
        try await peer.send("3\r\ntwo\r\n")
        #expect(await seen.next() == "two")
        try await peer.send("5\r\nthree\r\n0\r\n\r\n")
        let (goesOn, text) = try await call.value
        #expect(!goesOn)
        #expect(text == "onetwothree")
        #expect(await transport.openConnections() == 1)
    }

    @Test func `What a sink does not take waits for the next one`() async throws {
        let (server, transport) = (try await PlayedServer(), try Bench.transport())
        let pieces = AsyncStream.makeStream(of: String.self)
        let call = Bench.call {
            let body = Self.body(try await transport.send(Bench.request(server.port)))
            let sink = Sink(room: 1, telling: pieces.continuation)
            #expect(try await body.pour(into: sink))
            sink.room = 1
            #expect(try await body.pour(into: sink))
            sink.room = 1
            #expect(try await !body.pour(into: sink))
            return sink.text
        }
        var seen = pieces.stream.makeAsyncIterator()
        let peer = await server.accept()
        await peer.request()
        try await peer.send(Self.head + "3\r\none\r\n")
        #expect(await seen.next() == "one")
        try await peer.send("3\r\ntwo\r\n")
        #expect(await seen.next() == "two")
        try await peer.send("0\r\n\r\n")
        #expect(try await call.value == "onetwo")
    }

    @Test func `A connection that breaks ends the flow after what has come`() async throws {
        let (server, call, peer) = try await Self.flowing()
        defer { withExtendedLifetime(server) {} }
        await peer.close()
        await #expect(throws: TransportError.self) { try await call.value }
    }

    @Test func `A task that is cancelled closes the connection`() async throws {
        let (server, call, peer) = try await Self.flowing()
        defer { withExtendedLifetime(server) {} }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await peer.closed()
    }
}
