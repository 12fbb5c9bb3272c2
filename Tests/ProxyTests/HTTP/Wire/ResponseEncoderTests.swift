import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

/// Held against NIO's own encoder, byte by byte.
@Suite struct ResponseEncoderTests {
    private static let heads: [HTTPResponseHead] = [
        HTTPResponseHead(version: .http1_1, status: .ok),
        HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["content-length": "7", "transfer-encoding": "chunked", "x": ""]),
        HTTPResponseHead(version: .http1_1, status: .ok, headers: ["transfer-encoding": "gzip", "a": "1", "a": "2"]),
        HTTPResponseHead(version: .http1_0, status: .ok, headers: ["connection": "close"]),
        HTTPResponseHead(version: .http1_0, status: .tooManyRequests, headers: ["content-length": "3"]),
        HTTPResponseHead(version: .http1_1, status: .continue),
        HTTPResponseHead(version: .http1_1, status: .noContent, headers: ["content-length": "0"]),
        HTTPResponseHead(version: .http1_1, status: .notModified),
        HTTPResponseHead(version: .http1_1, status: .custom(code: 529, reasonPhrase: "Overloaded")),
        HTTPResponseHead(version: .http1_1, status: .imATeapot, headers: ["retry-after": "30"]),
        // Longer than what is expected, by a little and by much.
        HTTPResponseHead(
            version: .http1_1, status: .ok, headers: ["content-length": "7", "x": String(repeating: "y", count: 900)]),
        HTTPResponseHead(version: .http1_1, status: .ok, headers: ["x": String(repeating: "y", count: 9000)]),
    ]

    @Test(arguments: heads, [[], [0], [1], [9, 10], [15, 16, 17], [255, 0, 256], [4095, 4096, 65536]])
    func `Writes what NIO writes`(_ head: HTTPResponseHead, _ pieces: [Int]) throws {
        let reference = EmbeddedChannel(handler: HTTPResponseEncoder())
        defer { _ = try? reference.finish() }
        var encoder = ResponseEncoder()
        var bytes = ByteBuffer()
        reference.write(HTTPServerResponsePart.head(head), promise: nil)
        encoder.write(head, to: &bytes)
        for length in pieces {
            let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: length)
            reference.write(HTTPServerResponsePart.body(.byteBuffer(piece)), promise: nil)
            encoder.writeOpening(of: length, to: &bytes)
            bytes.writeImmutableBuffer(piece)
            encoder.writeClosing(of: length, to: &bytes)
        }
        reference.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        encoder.writeEnd(to: &bytes)
        var expected = ByteBuffer()
        while var part = try reference.readOutbound(as: ByteBuffer.self) { expected.writeBuffer(&part) }
        #expect(String(buffer: bytes) == String(buffer: expected))
    }

    @Test func `An encoder forgets how the last answer was framed`() {
        var encoder = ResponseEncoder()
        var bytes = ByteBuffer()
        encoder.write(HTTPResponseHead(version: .http1_1, status: .ok), to: &bytes)
        encoder.writeEnd(to: &bytes)
        bytes.clear()
        encoder.write(HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "1"]), to: &bytes)
        bytes.clear()
        encoder.writeOpening(of: 1, to: &bytes)
        encoder.writeClosing(of: 1, to: &bytes)
        encoder.writeEnd(to: &bytes)
        #expect(bytes.readableBytes == 0)
    }
}
