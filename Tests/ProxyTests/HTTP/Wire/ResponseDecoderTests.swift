import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct ResponseDecoderTests {
    /// What the decoder makes of the bytes that come in these pieces: each part as a word or its text, pieces of a body together.
    private static func parts(_ pieces: [[UInt8]], answersHEAD: Bool = false, isClosed: Bool = false) throws -> [String]
    {
        var decoder = ResponseDecoder()
        decoder.begin(answersHEAD: answersHEAD)
        var (parts, body, rest) = ([String](), "", ByteBuffer())
        func flush() {
            if !body.isEmpty { parts.append(body) }
            body = ""
        }
        for piece in pieces {
            rest.writeBytes(piece)
            while let part = try decoder.next(from: &rest) {
                switch part {
                case .head(let head):
                    parts.append(
                        "\(head.status)\(head.keepsConnection ? "" : " close")"
                            + head.headers.map { " \($0.name)=\($0.value)" }.joined())
                case .body(let bytes):
                    #expect(bytes.readableBytes > 0)
                    body += String(buffer: bytes)
                case .end:
                    flush()
                    parts.append("end")
                }
            }
        }
        flush()
        if isClosed, decoder.endsWithInput() { parts.append("end") }
        if rest.readableBytes > 0 { parts.append("left: \(rest.readableBytes)") }
        return parts
    }

    private struct Sample: CustomTestStringConvertible {
        var text: String
        var parts: [String]
        var answersHEAD = false
        var testDescription: String { String(reflecting: text.prefix(60)) }
    }

    private static let samples = [
        Sample(
            text: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", parts: ["200 content-length=5", "hello", "end"]),
        Sample(text: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", parts: ["200 Content-Length=0", "end"]),
        Sample(text: "\r\nHTTP/1.1 204 No Content\r\n\r\n", parts: ["204", "end"]),
        Sample(
            text: "HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\nHTTP",
            parts: ["304 content-length=100", "end", "left: 4"]),
        Sample(
            text: "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", parts: ["200 content-length=100", "end"],
            answersHEAD: true),
        Sample(text: "HTTP/1.1 200 OK\r\n\r\nhello", parts: ["200", "hello"]),
        Sample(
            text: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", parts: ["200 close content-length=2", "hi", "end"]),
        Sample(
            text: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nhi",
            parts: ["200 Connection=Keep-Alive content-length=2", "hi", "end"]),
        Sample(
            text: "HTTP/1.1 200 OK\r\nconnection: te, Close\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi",
            parts: ["200 close connection=te, Close content-length=2 content-length=2", "hi", "end"]),
        Sample(
            text:
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Created\r\nx:1 \t\r\ncontent-length: 0\r\n\r\n",
            parts: ["201 x=1 content-length=0", "end"]),
        Sample(
            text:
                "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\none\r\n0A ; a=b\r\n0123456789\r\n0\r\nt: u\r\n\r\n",
            parts: ["200 transfer-encoding=Chunked", "one0123456789", "end"]),
        Sample(
            text: "HTTP/1.1 200 OK\r\nconnection: close, keep-alive\r\n`|~: 1\r\ncontent-length: 0\r\n\r\n",
            parts: ["200 close connection=close, keep-alive `|~=1 content-length=0", "end"]),
        Sample(text: "HTTP/1.1 200 OK\ncontent-length: 2\n\nhi", parts: ["200 content-length=2", "hi", "end"]),
        Sample(
            text: "HTTP/1.1 200 OK\r\nx: a\r\n  b\r\ny: é\r\ncontent-length: 0\r\n\r\n",
            parts: ["200 x=a b y=é content-length=0", "end"]),
    ]

    @Test(arguments: samples) private func `An answer is read`(_ sample: Sample) throws {
        #expect(try Self.parts([Array(sample.text.utf8)], answersHEAD: sample.answersHEAD) == sample.parts)
    }

    @Test(arguments: samples) private func `Wherever it is split, it is the same answer`(_ sample: Sample) throws {
        let bytes = Array(sample.text.utf8)
        #expect(try Self.parts(bytes.map { [$0] }, answersHEAD: sample.answersHEAD) == sample.parts)
        var random = SplitMix64(seed: 11)
        for _ in 0..<200 {
            let cuts = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }.sorted()
            let pieces = zip([0] + cuts, cuts + [bytes.count]).map { Array(bytes[$0..<$1]) }
            #expect(try Self.parts(pieces, answersHEAD: sample.answersHEAD) == sample.parts)
        }
    }

    @Test func `An answer without a length ends with its connection, and no other does`() throws {
        #expect(
            try Self.parts([Array("HTTP/1.1 200 OK\r\n\r\nhello".utf8)], isClosed: true) == ["200", "hello", "end"])
        for cut in [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\n",
        ] {
            #expect(try Self.parts([Array(cut.utf8)], isClosed: true).last != "end")
        }
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\n x: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n", "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nfour\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;" + String(repeating: "a", count: 5000),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "a", count: 70_000),
        "HTTP/1.1 200 " + String(repeating: "a", count: 140_000),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "x: y\r\n", count: 300),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + String(repeating: "x: y\r\n", count: 300),
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 6000), String(repeating: "\r\n", count: 40_000),
    ])
    func `What is no HTTP, or too much of it, is refused`(_ text: String) {
        #expect { try Self.parts([Array(text.utf8)]) } throws: { error in
            if case TransportError.malformedAnswer = error { true } else { false }
        }
    }

    @Test func `The next answer is read with nothing of the last one`() throws {
        var decoder = ResponseDecoder()
        var bytes = ByteBuffer()
        for status in [200, 404] {
            decoder.begin(answersHEAD: false)
            bytes.writeString("HTTP/1.1 \(status) x\r\nx: \(status)\r\ncontent-length: 0\r\n\r\n")
            guard case .head(let head) = try decoder.next(from: &bytes) else { throw TransportError.closed }
            #expect(head.status == status && head.headers["x"] == ["\(status)"])
            guard case .end = try decoder.next(from: &bytes) else { throw TransportError.closed }
            #expect(try decoder.next(from: &bytes) == nil)
        }
    }
}
