import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import Proxy

@Suite struct PlainTextRefusalTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(
            PlainTextRefusal(gate: EntranceGate(try .fixture()), patience: .seconds(5)))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        return channel
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "post", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
    func `Plain HTTP is told to use TLS`(text: String) throws {
        let channel = try channel()
        try channel.writeInbound(ByteBuffer(string: text))
        let answer = try #require(try channel.readOutbound(as: ByteBuffer.self)).readableBytesView
        let lines = String(decoding: answer, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        #expect(lines[0].contains("x-request-id: req_") && lines[0].contains("connection: close"))
        #expect(
            lines[0].hasPrefix("HTTP/1.1 400 Bad Request\r\n")
                && lines[0].contains("content-length: \(lines[1].utf8.count)\r\n"))
        #expect(lines[1].contains("https://") && lines[1].contains(#""code":"tls_required""#))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test(arguments: [[0x16, 0x03, 0x01], [0x80, 0x2E], [0x00], [0xFF]] as [[UInt8]])
    func `Anything else is for TLS to judge`(bytes: [UInt8]) throws {
        let channel = try channel()
        for _ in 0..<2 {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: bytes))
        }
        #expect(throws: ChannelPipelineError.self) {
            try channel.pipeline.syncOperations.handler(type: PlainTextRefusal.self)
        }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        _ = try channel.finish()
    }
}
