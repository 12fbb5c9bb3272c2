import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

/// What becomes of a body whose answer was complete before it ended.
@Suite("The transport: bodies that nobody reads to their end")
struct BodyDrainTests {
    private final class Connection: BodySource, Cancellable {
        private(set) var isClosed = false
        private(set) var reads = 0
        func cancel() { isClosed = true }
        func readOn() { reads += 1 }
    }

    private let loop = EmbeddedEventLoop()
    private let connection = Connection()

    /// An answer that has brought `bytes` and not ended.
    private func answer(_ bytes: String = "") throws -> (UpstreamExchange, ResponseBody) {
        let origin = try RequestAddress("http://127.0.0.1:9/v1")
        let request = TransportRequest(method: .GET, url: "http://127.0.0.1:9/v1", headers: [:], body: nil)
        let head = try RequestHead(request, to: origin, through: nil, unpacksAnswers: false)
        let exchange = UpstreamExchange(RequestBytes(head, nil), to: head.origin, on: loop)
        exchange.starts(on: connection)
        exchange.received(ResponseHead(status: 200))
        come(bytes, to: exchange)
        return (exchange, ResponseBody(of: exchange))
    }

    private func come(_ bytes: String, to exchange: UpstreamExchange) {
        exchange.received(ByteBuffer(string: bytes))
        exchange.handOver()
    }

    private func drain(_ body: consuming ResponseBody) { body.makeAsyncIterator().drain(within: .milliseconds(250)) }

    @Test func `One that ends in time leaves its connection alone`() throws {
        let (exchange, body) = try answer("\n")
        drain(body)
        #expect(connection.reads == 1, "what was there has made room")
        come("\n\n", to: exchange)
        loop.advanceTime(by: .milliseconds(249))
        exchange.end()
        #expect(exchange.isOver)
        loop.advanceTime(by: .hours(1))
        #expect(!connection.isClosed)
    }

    @Test func `One that does not end closes it`() throws {
        let (exchange, body) = try answer()
        drain(body)
        loop.advanceTime(by: .milliseconds(249))
        #expect(!connection.isClosed && !exchange.isOver)
        loop.advanceTime(by: .milliseconds(1))
        #expect(connection.isClosed && exchange.isOver)
    }

    @Test func `One that brings too much closes it at once`() throws {
        let (exchange, body) = try answer()
        drain(body)
        come(String(repeating: "a", count: 1024), to: exchange)
        #expect(!connection.isClosed)
        come("a", to: exchange)
        #expect(connection.isClosed)
    }

    @Test func `One that has ended needs nothing`() throws {
        let (exchange, body) = try answer()
        exchange.end()
        drain(body)
        loop.advanceTime(by: .hours(1))
        #expect(!connection.isClosed)
    }

    @Test func `One that is not drained closes it when it is dropped`() throws {
        _ = try answer()
        #expect(connection.isClosed)
    }
}
