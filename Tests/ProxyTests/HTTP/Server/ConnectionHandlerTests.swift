import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

/// Requests as they are delivered, and how many there have been.
private final class CountedRequests: RequestReceiver {
    private(set) var count = 0
    private let continuation: AsyncStream<ClientRequest>.Continuation

    init(_ continuation: AsyncStream<ClientRequest>.Continuation) { self.continuation = continuation }

    func put(_ request: ClientRequest) {
        count += 1
        continuation.put(request)
    }

    func finish() { continuation.finish() }
}

/// HTTP/1.1 as bytes in and bytes out, on an event loop whose time the test moves.
@Suite struct ConnectionHandlerTests {
    /// One connection in memory.
    private final class Connection {
        let channel = EmbeddedChannel()
        let requests: AsyncStream<ClientRequest>
        let departure: EventLoopFuture<Void>
        private(set) var hasDeparted = false

        let claims = RequestClaims()

        init(bodyLimit: Int = 1000, isNextToSocket: Bool = false, bodyMemory: Int = .max, requestsPerKey: Int = 0)
            throws
        {
            let (requests, continuation) = AsyncStream.makeStream(of: ClientRequest.self)
            self.requests = requests
            delivered = CountedRequests(continuation)
            let departure = channel.embeddedEventLoop.makePromise(of: Void.self)
            self.departure = departure.futureResult
            let limits = ConnectionLimits()
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(
                    gate: EntranceGate(
                        try .fixture(
                            bodyLimit: bodyLimit, bodyMemory: bodyMemory, requestsPerKey: requestsPerKey, claims: claims
                        )), limits: limits, requests: delivered, departure: departure,
                    isNextToSocket: isNextToSocket))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            departure.futureResult.assumeIsolated().whenComplete { _ in self.hasDeparted = true }
        }

        func send(_ text: String) {
            // A closed channel refuses bytes; the tests look at what it wrote.
            _ = try? channel.writeInbound(ByteBuffer(string: text))
            channel.embeddedEventLoop.run()
        }

        /// Everything written since the last call.
        var output: String {
            var text = ""
            while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
            return text
        }

        /// The next whole request, which must be there already.
        func request() async throws -> ClientRequest {
            var iterator = requests.makeAsyncIterator()
            return try #require(await iterator.next())
        }

        /// A request has come and has not been answered.
        var isAnswering: Bool { delivered.count > answers }
        private let delivered: CountedRequests
        private var answers = 0

        func answer(_ body: String = "ok") {
            answers += 1
            channel.write(
                Response(status: .ok, headers: ["content-length": "\(body.utf8.count)"], body: ByteBuffer(string: body))
            )
            channel.embeddedEventLoop.run()
        }

        var isOpen: Bool { channel.isActive }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    private static let chat =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(FrontDoor.key)\r\n"

    /// A byte now and then would keep the memory that was claimed for the rest.
    @Test(arguments: ["Content-Length: 900\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func `A body that trickles is given up`(framing: String) throws {
        let connection = try Connection(bodyMemory: 1 << 20)
        connection.send(Self.chat + framing)
        let piece = framing.contains("chunked") ? "1\r\nx\r\n" : "x"
        for second in 1..<60 {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            connection.send(piece)
            #expect(connection.isOpen && connection.claims.bytes > 0 && connection.output.isEmpty, "\(second)")
        }
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(connection.output.hasPrefix("HTTP/1.1 408 ") && connection.claims.bytes == 0)
    }

    @Test func `A body that comes fast at first saves nothing up`() throws {
        let connection = try Connection(bodyLimit: 1 << 20, bodyMemory: 8 << 20)
        connection.send(Self.chat + "Content-Length: 1048576\r\n\r\n" + String(repeating: "x", count: 1_000_000))
        for _ in 1..<60 {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            connection.send("x")
        }
        #expect(connection.isOpen && connection.output.isEmpty)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(connection.output.hasPrefix("HTTP/1.1 408 ") && connection.claims.bytes == 0)
    }

    @Test func `A body that is slow all the way arrives`() async throws {
        let connection = try Connection(bodyLimit: 1 << 20)
        connection.send(Self.chat + "Content-Length: 614400\r\n\r\n")
        for _ in 0..<120 {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            connection.send(String(repeating: "x", count: 5120))
        }
        #expect(try await connection.request().body.count == 614_400)
    }

    @Test func `A request is delivered whole`() async throws {
        let connection = try Connection()
        connection.send(Self.chat + "Content-Length: 10\r\n\r\n01234")
        connection.send("56789")
        let request = try await connection.request()
        #expect(String(decoding: request.body, as: UTF8.self) == "0123456789")
        #expect(request.verdict == "POST /v1/chat/completions default")
        connection.answer()
        #expect(connection.output.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(connection.isOpen)
    }

    @Test func `A body without room is refused before it is read`() async throws {
        let connection = try Connection(bodyMemory: 4 * 500)
        var others = RequestClaims.Claim.none
        #expect(connection.claims.take(bodyBytes: 400, limit: .max, for: &others))
        connection.send(Self.chat + "Content-Length: 101\r\nExpect: 100-continue\r\n\r\n")
        let refusal = connection.output
        #expect(
            refusal.hasPrefix("HTTP/1.1 503 ") && refusal.contains("retry-after: 1\r\n")
                && refusal.contains("max_body_memory"))
        #expect(connection.claims.bytes == 1600)
    }

    @Test func `A chunked body takes its room piece by piece`() async throws {
        let connection = try Connection(bodyMemory: 4 * 500)
        var others = RequestClaims.Claim.none
        #expect(connection.claims.take(bodyBytes: 480, limit: .max, for: &others))
        connection.send(Self.chat + "Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n")
        #expect(connection.output == "" && connection.claims.bytes == 4 * 496)
        connection.send("10\r\n0123456789abcdef\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 503 "))
        #expect(connection.claims.bytes == 4 * 480, "what it had is free")
    }

    @Test func `The room is free when the request is over`() async throws {
        let connection = try Connection(requestsPerKey: 1)
        connection.send(Self.chat + "Content-Length: 10\r\n\r\n01234")
        #expect(connection.claims.bytes == 40 && connection.claims.requests(of: "default") == 1)
        connection.send("56789")
        do {
            let request = try await connection.request()
            #expect(connection.claims.requests(of: "default") == 1)
            request.ticket.release()
            #expect(connection.claims.bytes == 0 && connection.claims.requests(of: "default") == 0)
        }
        connection.answer()
        // Whose client leaves in the middle of a body.
        connection.send(Self.chat + "Content-Length: 10\r\n\r\n01234")
        #expect(connection.claims.bytes == 40)
        _ = try? connection.channel.finish(acceptAlreadyClosed: true)
        #expect(connection.claims.bytes == 0 && connection.claims.requests(of: "default") == 0)
    }

    /// The object of the first request lives on, as the task's that has answered it.
    @Test(arguments: [false, true])
    func `Who asks one after the other has one at once`(isNextToSocket: Bool) async throws {
        let connection = try Connection(isNextToSocket: isNextToSocket, requestsPerKey: 1)
        connection.send(Self.chat + "Content-Length: 1\r\n\r\na" + Self.chat + "Content-Length: 1\r\n\r\nb")
        let first = try await connection.request()
        connection.answer()
        let second = try await connection.request()
        #expect((first.body, second.body) == (Array("a".utf8), Array("b".utf8)) && connection.claims.bytes == 4)
        connection.answer()
        #expect(connection.claims.bytes == 0 && connection.output.components(separatedBy: "200 OK").count == 3)
    }

    @Test func `Who has no key takes no room`() async throws {
        let connection = try Connection(bodyMemory: 100)
        connection.send("POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\n\r\nx")
        #expect(connection.claims.bytes == 0)
    }

    @Test func `A key with all it may have is refused by the head`() async throws {
        let connection = try Connection(requestsPerKey: 2)
        var others = [RequestClaims.Claim](repeating: .none, count: 2)
        for index in others.indices { #expect(connection.claims.take("default", limit: 2, for: &others[index])) }
        connection.send(Self.chat + "Content-Length: 999\r\nExpect: 100-continue\r\n\r\n")
        let refusal = connection.output
        #expect(
            refusal.hasPrefix("HTTP/1.1 429 ") && refusal.contains("retry-after: 1\r\n")
                && refusal.contains("concurrency_limit_exceeded"))
        #expect(connection.claims.requests(of: "default") == 2)
    }

    @Test func `A chunked body is put together`() async throws {
        let connection = try Connection()
        connection.send(Self.chat + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n")
        #expect(String(decoding: try await connection.request().body, as: UTF8.self) == "0123456789")
    }

    @Test(arguments: [false, true])
    func `Pipelined requests are answered in their order`(isNextToSocket: Bool) async throws {
        let connection = try Connection(isNextToSocket: isNextToSocket)
        connection.send(
            Self.chat + "Content-Length: 1\r\n\r\na" + "GET /health HTTP/1.1\r\nHost: x\r\n\r\n" + Self.chat
                + "Content-Length: 1\r\n\r\nc")
        var iterator = connection.requests.makeAsyncIterator()
        #expect(await iterator.next().map { String(decoding: $0.body, as: UTF8.self) } == "a")
        connection.answer("first")
        #expect(await iterator.next()?.head.uri == "/health")
        connection.answer("second")
        #expect(await iterator.next().map { String(decoding: $0.body, as: UTF8.self) } == "c")
        connection.answer("third")
        let output = connection.output
        #expect(output.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
        let order = ["first", "second", "third"].compactMap { output.firstRange(of: $0)?.lowerBound }
        #expect(order.count == 3 && order == order.sorted())
    }

    @Test(arguments: [false, true])
    func `A pipeline leaves the event loop to others now and then`(isNextToSocket: Bool) async throws {
        let connection = try Connection(isNextToSocket: isNextToSocket)
        connection.send(String(repeating: "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", count: 40))
        var (answered, pauses) = (0, 0)
        while answered < 40 {
            if connection.isAnswering {
                _ = try await connection.request()
                connection.answer()
                answered += 1
            } else {
                // Nothing but time brings the next request.
                pauses += 1
                try #require(pauses < 40)
                connection.channel.embeddedEventLoop.advanceTime(by: .microseconds(50))
            }
        }
        #expect(pauses == 4)
        #expect(connection.output.components(separatedBy: "HTTP/1.1 200 OK").count == 41)
    }

    @Test(arguments: [false, true])
    func `Thousands of pipelined refusals need no stack`(isNextToSocket: Bool) async throws {
        let connection = try Connection(isNextToSocket: isNextToSocket)
        connection.send(
            "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
                + String(repeating: "GET /x HTTP/1.1\r\nHost:\r\n\r\n", count: 20_000))
        _ = try await connection.request()
        connection.answer()
        // Others get a turn in between.
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(connection.output.components(separatedBy: "HTTP/1.1 404 Not Found").count == 20_001)
        #expect(connection.isOpen)
    }

    @Test func `A client that does not read its answers gets no more of them`() throws {
        let connection = try Connection()
        connection.channel.isWritable = false
        connection.send(String(repeating: "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", count: 100))
        #expect(connection.output == "")
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        // So many at once that others get a turn in between.
        connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(connection.output.components(separatedBy: "HTTP/1.1 404 Not Found").count == 101)
    }

    @Test func `Expect continue is answered at once`() throws {
        let connection = try Connection()
        connection.send(Self.chat + "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
        #expect(connection.output == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func `Expect continue of a too large body is refused at once`() throws {
        let connection = try Connection()
        connection.send(Self.chat + "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 413 "))
        #expect(output.contains("request_too_large"))
        #expect(output.contains("connection: close"))
    }

    @Test func `A body over the limit is refused and the connection closes in the end`() throws {
        let connection = try Connection()
        connection.send(Self.chat + "Content-Length: 5000\r\n\r\n" + String(repeating: "x", count: 500))
        #expect(connection.output.hasPrefix("HTTP/1.1 413 "))
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!connection.isOpen)
    }

    @Test func `A missing key is refused before a large body`() throws {
        let connection = try Connection(bodyLimit: 10_000_000)
        connection.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(output.contains("www-authenticate: Bearer"))
    }

    @Test func `A missing key with a small body keeps the connection`() async throws {
        let connection = try Connection()
        connection.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(!output.contains("connection: close"))
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try await connection.request().head.uri == "/health")
    }

    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n", "Content-Length: -5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n", "Host: y\r\n", " folded: x\r\n", "na me: x\r\n", "Content-Length : 5\r\n",
    ])
    func `Ambiguous framing is refused`(fields: String) throws {
        let connection = try Connection()
        connection.send(Self.chat + fields + "\r\nhello")
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(output)")
        #expect(output.contains(#""type":"invalid_request_error""#))
        #expect(output.contains("connection: close"))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}garbage", "GET /\r\n\r\n", "FROB\r\n\r\n",
    ])
    func `What is no HTTP is refused`(text: String) throws {
        let connection = try Connection()
        connection.send(text)
        #expect(connection.output.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    @Test func `Heads are bounded`() throws {
        let many = try Connection()
        many.send(Self.chat + (0..<200).map { "x-\($0): y\r\n" }.joined() + "\r\n")
        #expect(many.output.hasPrefix("HTTP/1.1 400 "))

        let long = try Connection()
        long.send(Self.chat + "x: " + String(repeating: "y", count: 40_000))
        #expect(long.output.hasPrefix("HTTP/1.1 400 "))

        let large = try Connection()
        large.send(
            Self.chat + (0..<10).map { "x-\($0): \(String(repeating: "y", count: 10_000))\r\n" }.joined() + "\r\n")
        #expect(large.output.hasPrefix("HTTP/1.1 400 "))
    }

    @Test func `A half sent head is given up`() throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHos")
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(74))
        #expect(connection.isOpen)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!connection.isOpen)
    }

    @Test func `A body that stops is given up`() throws {
        let connection = try Connection(bodyLimit: 1 << 20)
        connection.send(Self.chat + "Content-Length: 614400\r\n\r\n" + String(repeating: "x", count: 200_000))
        for _ in 0..<2 {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(50))
            connection.send(String(repeating: "x", count: 205_000))
        }
        #expect(connection.output == "")
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"), "\(output)")
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!connection.isOpen)
    }

    private func askOnce(_ connection: Connection) async throws {
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.answer()
    }

    @Test func `An idle connection is kept for more than a minute`() async throws {
        let connection = try Connection()
        try await askOnce(connection)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(61))
        #expect(connection.isOpen)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(15))
        #expect(!connection.isOpen)
    }

    @Test func `An answer may take as long as it likes`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.channel.embeddedEventLoop.advanceTime(by: .hours(2))
        #expect(connection.isOpen && !connection.hasDeparted)
    }

    @Test func `A client that closes its half while it waits has left`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        #expect(!connection.hasDeparted)
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.hasDeparted)
    }

    @Test func `A broken connection is a departure`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.channel.close(promise: nil)
        connection.channel.embeddedEventLoop.run()
        #expect(connection.hasDeparted)
    }

    @Test func `An old client gets an answer without chunks and a closed connection`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _ = try await connection.request()
        let answers = try connection.channel.answers
        answers.write(HTTPResponseHead(version: .http1_1, status: .ok))
        answers.write(ByteBuffer(string: "streamed"), promise: nil)
        answers.writeEnd()
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(output.hasSuffix("\r\n\r\nstreamed"))
        #expect(!output.lowercased().contains("transfer-encoding"))
    }

    @Test(arguments: [
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, upgrade\r\nUpgrade: websocket\r\n\r\n",
    ])
    func `A request for another protocol is answered and ends the connection`(text: String) async throws {
        let connection = try Connection()
        connection.send(text)
        _ = try await connection.request()
        connection.answer()
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 200 OK\r\n") && output.contains("connection: close"), "\(output)")
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!connection.isOpen)
    }

    @Test func `What follows a request for another protocol is not hoarded`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
        _ = try await connection.request()
        for _ in 0..<100 { connection.send(String(repeating: "x", count: 10_000)) }
        #expect(!connection.isOpen)
    }

    /// Counts how often the socket is asked to read.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    @Test func `A client that asks on while it is answered is read to a bound`() async throws {
        let connection = try Connection(bodyLimit: 1 << 20)
        let reads = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.send(Self.chat + "Content-Length: 100000\r\n\r\n" + String(repeating: "x", count: 25_000))
        connection.channel.read()
        #expect(reads.count == 1, "so that it is seen when the client leaves")
        connection.send(String(repeating: "x", count: 75_000))
        for _ in 0..<3 { connection.channel.read() }
        #expect(reads.count == 1)
        connection.answer()
        #expect(reads.count == 2)
        #expect(try await connection.request().body.count == 100_000)
    }

    @Test func `A client that leaves behind its next request is seen to leave`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        _ = try await connection.request()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.hasDeparted)
    }

    @Test func `What follows the last request is not looked at`() async throws {
        let connection = try Connection()
        connection.send(
            "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.send("garbage")
        connection.answer()
        #expect(connection.output.components(separatedBy: "HTTP/1.1 ").count == 2)
    }

    @Test func `Garbage behind a request is refused behind its answer`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\ngarbage\r\n")
        _ = try await connection.request()
        connection.send("more")
        #expect(!connection.hasDeparted && connection.output == "")
        connection.answer()
        let output = connection.output
        #expect(
            output.hasPrefix("HTTP/1.1 200 OK\r\n") && output.contains("HTTP/1.1 400 Bad Request\r\n")
                && output.contains("connection: close"), "\(output)")
    }

    @Test func `A head that comes byte by byte is read and its refusal bears its name`() async throws {
        let connection = try Connection()
        for byte in "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".utf8 {
            connection.send(String(decoding: [byte], as: UTF8.self))
        }
        #expect(try await connection.request().head.headers["host"] == ["x"])
        connection.answer()
        connection.send("GET /health HTTP/1.1\r\nX-Request-ID: mine\r\n\r\n")
        let output = connection.output
        #expect(
            output.contains("HTTP/1.1 400 Bad Request\r\n") && output.contains("x-request-id: mine\r\n"), "\(output)")
    }

    @Test(arguments: ["FROB", "get"]) func `A method that nobody knows is refused by the door`(method: String) throws {
        let connection = try Connection()
        connection.send("\(method) /health HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 405 ") && connection.isOpen)
    }

    @Test func `A tunnel is refused`() throws {
        let connection = try Connection()
        connection.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        let output = connection.output
        #expect(output.hasPrefix("HTTP/1.1 404 ") && output.contains("connection: close"), "\(output)")
    }

    @Test func `A stopping server says that the connection ends`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        connection.answer()
        #expect(connection.output.contains("connection: close"))
    }

    /// A client that has just connected, or has had an answer, may be asking at this moment.
    @Test(arguments: [false, true]) func `A stopping server answers one more request that comes soon`(isKept: Bool)
        async throws
    {
        let connection = try Connection()
        if isKept { try await askOnce(connection) }
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(connection.isOpen)
        try await askOnce(connection)
        #expect(connection.output.contains("connection: close"))
    }

    @Test func `A stopping server does not wait for long`() async throws {
        let connection = try Connection()
        try await askOnce(connection)
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!connection.isOpen)
    }

    @Test func `At the end of the grace the work is cancelled and its client still hears`() async throws {
        let connection = try Connection()
        connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await connection.request()
        #expect(!connection.hasDeparted)
        connection.channel.pipeline.fireUserInboundEventTriggered(GraceIsOver())
        #expect(connection.hasDeparted && connection.isOpen)
        connection.answer()
        #expect(connection.output.contains("connection: close"))

        let half = try Connection()
        half.send(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(FrontDoor.key)\r\nContent-Length: 10\r\n\r\n{"
        )
        half.channel.pipeline.fireUserInboundEventTriggered(GraceIsOver())
        let output = half.output
        #expect(output.hasPrefix("HTTP/1.1 503 ") && output.contains("server_shutting_down"), "\(output)")
    }

    @Test(arguments: ["GET /health", "GET /v1/models", "OPTIONS /v1/chat/completions"])
    func `A body that nobody reads is not kept`(request: String) async throws {
        let connection = try Connection()
        connection.send(
            "\(request) HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n" + String(repeating: "x", count: 500))
        #expect(try await connection.request().body.capacity == 0)
        connection.answer()
        #expect(connection.isOpen)
    }

    @Test func `A preflight needs no key`() async throws {
        let connection = try Connection()
        connection.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n")
        #expect(try await connection.request().verdict == "preflight")
    }

    /// They need no key before their peer has been looked at.
    @Test(arguments: ["/v1/reload", "/admin/circuit-breaker/reset"])
    func `What the operator asks for has no great body`(path: String) throws {
        let connection = try Connection(bodyLimit: 1 << 20)
        connection.send("POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
        #expect(connection.output.hasPrefix("HTTP/1.1 413 "))
    }
}
