import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Proxy

/// The end of a kept connection that crosses the next request on it: for how long it counts as that, and what does not.
@Suite("The transport: the end of a connection that crosses a request")
struct CrossingTests {
    fileprivate final class Owner: ConnectionOwner {
        private(set) var freed = 0
        private(set) var hasGone = false
        private(set) var sentAnew: [UpstreamExchange] = []

        func isFree(_ connection: UpstreamConnection) { freed += 1 }
        func isClosing(_ connection: UpstreamConnection) {}
        func isGone(_ connection: UpstreamConnection) { hasGone = true }
        func sendAnew(_ exchange: UpstreamExchange) { sentAnew.append(exchange) }
    }

    /// A connection of the kind that production makes, without its socket.
    fileprivate final class Bench {
        let channel: EmbeddedChannel
        let owner = Owner()
        private let connection: UpstreamConnection

        init(_ options: NIOTransport.Options = .init()) throws {
            let connector = try Connector(
                timeout: options.connectTimeout, authorities: options.authorities, proxies: options.proxies,
                unpackedLimit: options.unpackedLimit, crossing: options.crossing)
            connection = UpstreamConnection(
                to: try RequestAddress("http://127.0.0.1:9/v1").origin, by: connector, owner: owner)
            channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandler(connection)
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 9), promise: nil)
        }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

        /// Sends a request.
        func carry() throws -> UpstreamExchange {
            let address = try RequestAddress("http://127.0.0.1:9/v1")
            let request = TransportRequest(method: .POST, url: "http://127.0.0.1:9/v1", headers: [:], body: nil)
            let head = try RequestHead(request, to: address, through: nil, unpacksAnswers: false)
            let exchange = UpstreamExchange(RequestBytes(head, nil), to: head.origin, on: channel.eventLoop)
            try carry(exchange)
            return exchange
        }

        func carry(_ exchange: UpstreamExchange) throws {
            connection.carry(exchange)
            let sent = try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) }
            #expect(sent?.hasPrefix("POST /v1 HTTP/1.1\r\n") == true)
        }

        func come(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// After this, the connection is a kept one, and has been for an hour.
        func becomeKept() throws {
            let first = try carry()
            try come("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            #expect(first.isOver && owner.freed == 1)
            channel.embeddedEventLoop.advanceTime(by: .hours(1))
        }

        func pass(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
    }

    private static let timeout =
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlate"

    /// How a connection may end.
    enum End: CaseIterable, Sendable {
        case closed, timeout, reset

        fileprivate func happen(_ bench: Bench) throws {
            switch self {
            case .closed: bench.channel.close(promise: nil)
            case .timeout: try bench.come(CrossingTests.timeout)
            case .reset:
                bench.channel.pipeline.syncOperations.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
                bench.pass(.zero)
            }
        }
    }

    @Test(arguments: End.allCases)
    func `Within five seconds the request is sent anew`(end: End) throws {
        let bench = try Bench()
        try bench.becomeKept()
        let exchange = try bench.carry()
        bench.pass(.milliseconds(4999))
        try end.happen(bench)
        #expect(bench.owner.sentAnew.map(ObjectIdentifier.init) == [ObjectIdentifier(exchange)])
        #expect(!exchange.isOver && exchange.request != nil)
        #expect(bench.owner.hasGone, "the connection is closed")
    }

    @Test(arguments: [End.closed, .reset])
    func `Later the request may have begun something, and has failed`(end: End) throws {
        let bench = try Bench()
        try bench.becomeKept()
        let exchange = try bench.carry()
        bench.pass(.seconds(5))
        try end.happen(bench)
        #expect(bench.owner.sentAnew.isEmpty && exchange.isOver)
        #expect {
            try exchange.take()
        } throws: { error in
            if case TransportError.connectionLost = error { true } else { false }
        }
    }

    @Test func `Later a 408 is an answer`() throws {
        let bench = try Bench()
        try bench.becomeKept()
        let exchange = try bench.carry()
        bench.pass(.seconds(5))
        try bench.come(Self.timeout)
        #expect(bench.owner.sentAnew.isEmpty && exchange.isOver)
        guard case .bytes(let body) = try exchange.take(), case .end = try exchange.take() else {
            Issue.record("it has a body")
            return
        }
        #expect(String(buffer: body) == "late")
    }

    @Test(arguments: End.allCases)
    func `A new connection crosses nothing`(end: End) throws {
        let bench = try Bench()
        let exchange = try bench.carry()
        try end.happen(bench)
        #expect(bench.owner.sentAnew.isEmpty && exchange.isOver)
    }

    @Test func `What has been sent anew is not sent a third time`() throws {
        let (kept, new) = (try Bench(), try Bench())
        try kept.becomeKept()
        let exchange = try kept.carry()
        kept.channel.close(promise: nil)
        #expect(kept.owner.sentAnew.count == 1)
        try new.carry(exchange)
        new.channel.close(promise: nil)
        #expect(new.owner.sentAnew.isEmpty && exchange.isOver)
    }

    @Test func `An answer that has begun is its request's`() throws {
        let bench = try Bench()
        try bench.becomeKept()
        let exchange = try bench.carry()
        try bench.come("HTTP/1.1 200 O")
        bench.channel.close(promise: nil)
        #expect(bench.owner.sentAnew.isEmpty)
        #expect(throws: TransportError.closed) { try exchange.take() }
    }

    @Test func `Another status within the time is an answer, and its connection is free again`() throws {
        let bench = try Bench()
        try bench.becomeKept()
        let exchange = try bench.carry()
        try bench.come("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        #expect(bench.owner.sentAnew.isEmpty && exchange.isOver && bench.owner.freed == 2 && !bench.owner.hasGone)
    }
}
