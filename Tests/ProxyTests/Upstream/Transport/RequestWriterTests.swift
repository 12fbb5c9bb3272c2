import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct RequestWriterTests {
    private static func written(_ head: HTTPRequestHead, _ body: ByteBuffer?) throws -> [String] {
        let writer = RequestWriter()
        let channel = EmbeddedChannel(handler: writer)
        defer { _ = try? channel.finish() }
        writer.body = body
        let isWritten = channel.embeddedEventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(HTTPClientRequestPart.head(head), promise: isWritten)
        try isWritten.futureResult.wait()
        var parts: [String] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) { parts.append(String(buffer: part)) }
        return parts
    }

    @Test func headAndBodyAreOnePiece() throws {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/chat?a=b", headers: ["host": "x:1", "content-length": "4", "empty": ""])
        #expect(try Self.written(head, ByteBuffer(string: "ping")) == ["POST /v1/chat?a=b HTTP/1.1\r\nhost: x:1\r\ncontent-length: 4\r\nempty: \r\n\r\nping"])
    }

    @Test func aRequestWithoutABodyIsItsHead() throws {
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: "BREW"), uri: "/", headers: ["host": "x"])
        #expect(try Self.written(head, nil) == ["BREW / HTTP/1.1\r\nhost: x\r\n\r\n"])
    }

    @Test func aLargeBodyIsNotCopied() throws {
        let head = HTTPRequestHead(version: .http1_1, method: .PUT, uri: "/", headers: ["content-length": "100000"])
        let body = String(repeating: "b", count: 100_000)
        #expect(try Self.written(head, ByteBuffer(string: body)) == ["PUT / HTTP/1.1\r\ncontent-length: 100000\r\n\r\n", body])
    }

    @Test func theNextRequestHasABodyOfItsOwn() throws {
        let writer = RequestWriter()
        let channel = EmbeddedChannel(handler: writer)
        defer { _ = try? channel.finish() }
        writer.body = ByteBuffer(string: "first")
        for uri in ["/1", "/2"] {
            channel.writeAndFlush(HTTPClientRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: uri)), promise: nil)
        }
        #expect(try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == "GET /1 HTTP/1.1\r\n\r\nfirst")
        #expect(try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == "GET /2 HTTP/1.1\r\n\r\n")
    }
}
