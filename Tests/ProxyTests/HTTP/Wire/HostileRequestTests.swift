import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Bytes that somebody may send who means harm, and bytes that nobody means.
@Suite struct HostileRequestTests {
    /// A connection that answers each request with what it took for its body.
    private final class Connection {
        private let channel = EmbeddedChannel()
        private let continuation: AsyncStream<ClientRequest>.Continuation
        private var iterator: AsyncStream<ClientRequest>.Iterator
        private let mark: ClientRequest
        private(set) var output: [UInt8] = []
        private(set) var requests: [ClientRequest] = []

        init(bodyLimit: Int = 1000) throws {
            let (stream, continuation) = AsyncStream.makeStream(of: ClientRequest.self)
            self.continuation = continuation
            iterator = stream.makeAsyncIterator()
            let door = try FrontDoor.fixture(bodyLimit: bodyLimit)
            let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: "MARK"), uri: "mark")
            mark = ClientRequest(
                head: head, body: [], ticket: Admission(.preflight, of: head, .none, by: door), peer: .init())
            let departure = channel.embeddedEventLoop.makePromise(of: Void.self)
            let limits = ConnectionLimits()
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(
                    gate: EntranceGate(door), limits: limits, requests: continuation, departure: departure))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func send(_ bytes: some Collection<UInt8>) async {
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
            channel.embeddedEventLoop.run()
            // What has been delivered stands before the mark.
            while true {
                continuation.yield(mark)
                var hasAnswered = false
                while let request = await iterator.next(), request.head.uri != "mark" {
                    requests.append(request)
                    let text = "body \(request.body.count) end"
                    channel.write(
                        Response(
                            status: .ok, headers: ["content-length": "\(text.utf8.count)"],
                            body: ByteBuffer(string: text)), withoutBody: request.head.method == .HEAD)
                    channel.embeddedEventLoop.run()
                    hasAnswered = true
                }
                guard hasAnswered, channel.isActive else { break }
            }
            while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { output += Array(buffer: bytes) }
        }

        var text: String { String(decoding: output, as: UTF8.self) }
        var isOpen: Bool { channel.isActive }
        func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    private static let chat =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(FrontDoor.key)\r\n"

    /// Where another parser could see the request end elsewhere.
    @Test(arguments: [
        "GET /health HTTP/1.1\nHost: x\n\n", "GET /health HTTP/1.1\r\nHost: x\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\n\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", "GET /health HTTP/1.1\r\nHost: x\r\nX\r\n: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\rX: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nX: a\u{0}b\r\n\r\n", "GET /health HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
        "GET /he alth HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /health HTTP/1.1 \r\nHost: x\r\n\r\n", "GET /health HTTP/11\r\nHost: x\r\n\r\n",
        "GET /health\u{0} HTTP/1.1\r\nHost: x\r\n\r\n", "GET /health XTTP/1.1\r\nHost: x\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\n\r\n",
        chat + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\nhello\r\n0\r\n\r\n",
        chat + "Content-Length: 18446744073709551617\r\n\r\nx", chat + "Content-Length: 5 5\r\n\r\nhello",
        chat + "Content-Length:\r\n\r\nhello", chat + "Content-Length: 5\u{b}\r\n\r\nhello",
        chat + "Transfer-Encoding: chunked\u{b}\r\n\r\n0\r\n\r\n",
        chat + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ])
    func `What two parsers could read in two ways is refused`(text: String) async throws {
        let connection = try Connection()
        await connection.send(text.utf8)
        await connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        #expect(connection.requests.isEmpty)
        #expect(
            connection.text.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && connection.text.contains("connection: close"),
            "\(connection.text)")
        #expect(connection.text.components(separatedBy: "content-length: ").count == 2, "one answer and no more")
    }

    /// Legal oddities end where everybody says that they end.
    @Test(arguments: [
        ("5;ext=1;a=\"b\"\r\nhello\r\n0\r\n\r\n", 5), ("5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n", 5),
        ("0005\r\nhello\r\n0\r\n\r\n", 5), ("0\r\n\r\n", 0),
        ("1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 2),
    ])
    func `Chunk extensions and trailers are read and forgotten`(chunks: String, size: Int) async throws {
        let connection = try Connection()
        await connection.send(
            (Self.chat + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").utf8
        )
        #expect(connection.requests.map(\.body.count) == [size, 0])
        #expect(connection.requests.allSatisfy { $0.head.headers["x-trailer"].isEmpty })
    }

    @Test(arguments: [
        "5;" + String(repeating: "a", count: 200_000),
        "5\r\nhello\r\n0\r\n" + String(repeating: "X-Trailer: y\r\n", count: 20_000),
    ])
    func `What is longer than any head is not read for ever`(chunks: String) async throws {
        let connection = try Connection()
        await connection.send((Self.chat + "Transfer-Encoding: chunked\r\n\r\n" + chunks).utf8)
        // Whether it is refused or only not kept: nobody is asked because of it, and the connection is given up in time.
        #expect(connection.requests.isEmpty)
        connection.wait(61)
        connection.wait(6)
        #expect(!connection.isOpen)
    }

    @Test func `A flood of empty lines or of headers without end is not kept`() async throws {
        let lines = try Connection()
        for _ in 0..<50 { await lines.send(Array(repeating: [13, 10], count: 5000).joined()) }
        lines.wait(76)
        #expect(!lines.isOpen && lines.requests.isEmpty)

        let headers = try Connection()
        await headers.send("GET /health HTTP/1.1\r\nHost: x\r\n".utf8)
        for number in 0..<100 { await headers.send("x-\(number): \(String(repeating: "y", count: 2000))\r\n".utf8) }
        #expect(headers.text.hasPrefix("HTTP/1.1 400 "))

        let target = try Connection()
        await target.send("GET /\(String(repeating: "y", count: 300_000)) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        #expect(target.requests.isEmpty && target.text.hasPrefix("HTTP/1.1 4"))
    }

    private static let samples = [
        "GET /health HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
        "OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n",
        chat + "Content-Length: 9\r\n\r\n{\"a\": 12}",
        chat + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n5;x=y\r\n: 12}\r\n0\r\nT: 1\r\n\r\n",
        chat + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/rerank HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "GET /v1/%6dodels?x=%ZZ#f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    ]
    private static let pieces = [
        "\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "\t", "HTTP/1.1", "HTTP/2.0", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Host: y\r\n", "0\r\n\r\n", "ffffffff",
        "Connection: close\r\n", "Expect: 100-continue\r\n", "\u{0}", "é", ";", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]

    /// Whatever comes, what goes out is a row of whole answers, and no request is another when its bytes were cut on their way.
    @Test(arguments: Fuzz.seeds(300))
    func `Damaged requests get whole answers`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let requests = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            Self.samples.randomElement(using: &random) ?? ""
        }.joined()
        let bytes = Fuzz.damage(Array(requests.utf8), with: Self.pieces, &random)
        let whole = try Connection()
        let cut = try Connection()
        await whole.send(bytes)
        for piece in Fuzz.pieces(of: bytes, &random) { await cut.send(piece) }
        try expectAnswers(whole.output, heads: whole.requests)
        try expectAnswers(cut.output, heads: cut.requests)
        #expect(
            whole.requests.map(\.head) == cut.requests.map(\.head)
                && whole.requests.map(\.body) == cut.requests.map(\.body))
        whole.wait(200)
        #expect(!whole.isOpen, "in the end it is given up")
    }

    /// Status lines, header fields and bodies of the length that is announced, one after the other and nothing between.
    private func expectAnswers(_ bytes: [UInt8], heads: [ClientRequest]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = try #require(
                rest.firstRange(of: Array("\r\n\r\n".utf8)), "\(String(decoding: bytes, as: UTF8.self))")
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            rest = rest[end.upperBound...]
            let status = try #require(
                head.wholeMatch(of: #/(?s)HTTP/1\.[01] (\d\d\d) .*/#).flatMap { Int($0.1) }, "\(head)")
            guard status >= 200 else { continue }
            let length = try #require(
                head.lowercased().firstMatch(of: #/content-length: (\d+)/#).flatMap { Int($0.1) }, "\(head)")
            // The answer to HEAD announces what is not there.
            let body = rest.prefix(length)
            if String(decoding: body, as: UTF8.self).hasPrefix("HTTP/1.") || body.isEmpty { continue }
            #expect(body.count == length)
            rest = rest.dropFirst(length)
        }
    }
}
