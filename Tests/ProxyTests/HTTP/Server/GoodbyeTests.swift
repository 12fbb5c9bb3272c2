import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What happens on a connection between its last answer and its end.
@Suite struct GoodbyeTests {
    /// An embedded channel closes altogether where a socket only sends its FIN.
    private final class HalfClosing: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            if mode == .output { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
        }
    }

    private final class Connection {
        let channel = EmbeddedChannel()
        let requests: AsyncStream<ClientRequest>
        private(set) var hasDeparted = false

        init() throws {
            let (requests, continuation) = AsyncStream.makeStream(of: ClientRequest.self)
            self.requests = requests
            let departure = channel.embeddedEventLoop.makePromise(of: Void.self)
            let limits = ConnectionLimits()
            try channel.pipeline.syncOperations.addHandler(HalfClosing())
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(
                    gate: EntranceGate(try .fixture(bodyLimit: 1000)), limits: limits, requests: continuation,
                    departure: departure))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            departure.futureResult.assumeIsolated().whenComplete { _ in self.hasDeparted = true }
        }

        func send(_ text: String) {
            _ = try? channel.writeInbound(ByteBuffer(string: text))
            channel.embeddedEventLoop.run()
        }

        var output: String {
            var text = ""
            while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
            return text
        }

        func request() async throws -> ClientRequest {
            var iterator = requests.makeAsyncIterator()
            return try #require(await iterator.next())
        }

        func answer() {
            channel.write(Response(status: .ok, headers: ["content-length": "0"]))
            channel.embeddedEventLoop.run()
        }

        func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

        var isOpen: Bool { channel.isActive }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `A refused body is read on for a while`() throws {
        let connection = try Connection()
        connection.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 401 "))
        connection.wait(4)
        #expect(connection.isOpen)
        connection.wait(2)
        #expect(!connection.isOpen)
    }

    @Test func `Further requests do not prolong it`() throws {
        let connection = try Connection()
        connection.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 401 "))
        for _ in 0..<3 {
            #expect(connection.isOpen)
            connection.wait(2)
            connection.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        }
        #expect(!connection.isOpen)
        #expect(connection.output == "")
    }

    /// It is waited for as long as it goes on, and a minute at most.
    @Test func `An announced body is read to its end`() throws {
        let connection = try Connection()
        connection.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 401 "))
        for _ in 0..<14 {
            connection.wait(4)
            #expect(connection.isOpen)
            connection.send(String(repeating: "x", count: 5000))
        }
        connection.wait(4)
        #expect(!connection.isOpen)
    }

    @Test func `What waited is thrown away and not added to`() async throws {
        let connection = try Connection()
        connection.send(
            "GET /health HTTP/1.1\r\nHost: x\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
        )
        _ = try await connection.request()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        for _ in 0..<20 { connection.send("x") }
        connection.answer()
        connection.send(String(repeating: "x", count: 1000))
        #expect(connection.isOpen)
        // More than is read after a last answer.
        connection.send("x")
        #expect(!connection.isOpen)
    }

    @Test func `What follows garbage does not take the refusal from the client`() throws {
        let connection = try Connection()
        connection.send("garbage\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 400 "))
        connection.send(String(repeating: "x", count: 900))
        #expect(connection.isOpen)
        connection.send(String(repeating: "x", count: 200))
        #expect(!connection.isOpen)
    }

    @Test func `What follows garbage does not take the answer before it from the client`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\ngarbage\r\n\r\n")
        _ = try await connection.request()
        connection.send("more")
        #expect(!connection.hasDeparted)
        connection.answer()
        #expect(connection.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(connection.isOpen)
    }
}
