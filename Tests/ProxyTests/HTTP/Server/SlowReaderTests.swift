import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Clients that take their answers slowly, and those that do not take them at all.
@Suite struct SlowReaderTests {
    /// A socket whose buffers are full until the test says otherwise.
    private final class FullSocket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var held: [EventLoopPromise<Void>] = []
        private(set) var hasFinished = false

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            held.append(promise ?? context.eventLoop.makePromise())
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            if mode == .output { hasFinished = true } else { context.close(mode: mode, promise: promise) }
        }

        func drain() {
            let written = held
            held = []
            for promise in written { promise.succeed() }
        }
    }

    private final class Connection {
        let channel = EmbeddedChannel()
        let socket = FullSocket()
        let requests: AsyncStream<ClientRequest>

        init() throws {
            let (requests, continuation) = AsyncStream.makeStream(of: ClientRequest.self)
            self.requests = requests
            let departure = channel.embeddedEventLoop.makePromise(of: Void.self)
            let limits = ConnectionLimits()
            try channel.pipeline.syncOperations.addHandler(socket)
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(
                    gate: EntranceGate(try .fixture(bodyLimit: 1000)), limits: limits, requests: continuation,
                    departure: departure))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func send(_ text: String) {
            _ = try? channel.writeInbound(ByteBuffer(string: text))
            channel.embeddedEventLoop.run()
        }

        func request() async throws -> ClientRequest {
            var iterator = requests.makeAsyncIterator()
            return try #require(await iterator.next())
        }

        func answer() {
            channel.write(Response(status: .ok, headers: ["content-length": "2"], body: ByteBuffer(string: "ok")))
            channel.embeddedEventLoop.run()
        }

        func drain() {
            socket.drain()
            channel.embeddedEventLoop.run()
        }

        func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

        deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    private static let request = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `The time for the next request begins when the answer has left`() async throws {
        let connection = try Connection()
        connection.send(Self.request)
        _ = try await connection.request()
        connection.answer()
        connection.wait(3600)
        #expect(connection.channel.isActive, "as long as the socket takes")
        connection.drain()
        connection.wait(74)
        #expect(connection.channel.isActive)
        connection.wait(2)
        #expect(!connection.channel.isActive)
    }

    @Test func `The next request waits for it`() async throws {
        let connection = try Connection()
        connection.send(Self.request + "GET /x HTTP/1.1\r\nHost: x\r\n\r\n" + Self.request)
        _ = try await connection.request()
        connection.answer()
        let held = connection.socket.held.count
        connection.send(Self.request)
        #expect(connection.socket.held.count == held, "nothing more is written for somebody who does not read")
        connection.drain()
        #expect(!connection.socket.held.isEmpty, "the refusal of the second")
        connection.drain()
        #expect(try await connection.request().head.uri == "/health")
    }

    @Test func `A server that stops lets it leave`() async throws {
        let connection = try Connection()
        connection.send(Self.request)
        _ = try await connection.request()
        connection.answer()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(connection.channel.isActive && !connection.socket.hasFinished)
        connection.drain()
        #expect(connection.socket.hasFinished)
        connection.wait(6)
        #expect(!connection.channel.isActive)
    }

    /// Real sockets: the kernel watches over the writing. The client sends its request as soon as it is connected, since the time for
    /// that has begun; `reader` is what takes the answer.
    private func withServer(
        _ limits: ConnectionLimits, request: String, reader: ByteCounter.Handler? = nil, unixPath: String? = nil,
        _ body: (AsyncThrowingStream<ClientChannel.Value, any Error>) async throws -> Void
    ) async throws {
        let (values, continuation) = AsyncThrowingStream.makeStream(of: ClientChannel.Value.self)
        let gate = EntranceGate(try FrontDoor.fixture())
        // Event loops of its own: on those of all tests, another's work may hold up a reader for as long as the limits that are tested.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let channels = ClientChannel(
            gate: gate, drain: Drain(), limits: limits, certificate: ListenerCertificate(),
            executors: EventLoopExecutors(of: group))
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    continuation.yield(try channels.setUp(channel))
                }
            }
            .bind(
                to: try unixPath.map { try SocketAddress(unixDomainSocketPath: $0) }
                    ?? SocketAddress(ipAddress: "127.0.0.1", port: 0)
            ).get()
        let client: any Channel
        do {
            client = try await ClientBootstrap(group: group)
                .channelOption(.autoRead, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.syncOptions?.setOption(.socketOption(.so_rcvbuf), value: 32_768)
                        if let reader { try channel.pipeline.syncOperations.addHandler(reader) }
                    }
                }
                .connect(to: try #require(server.localAddress))
                .flatMap { channel in channel.writeAndFlush(ByteBuffer(string: request)).map { channel } }.get()
        } catch {
            try await server.close()
            try await group.shutdownGracefully()
            throw error
        }
        do { try await body(values) } catch { Issue.record(error) }
        client.close(promise: nil)
        try await server.close()
        try await group.shutdownGracefully()
    }

    private static let large = Response(
        status: .ok, headers: ["content-length": "20000000"],
        body: ByteBuffer(repeating: UInt8(ascii: "x"), count: 20_000_000))

    @Test(.timeLimit(.minutes(5)), arguments: [false, true]) func `Who takes nothing loses the connection`(
        overUnix: Bool
    ) async throws {
        #if os(Linux)
            var limits = ConnectionLimits()
            limits.writeTimeout = .milliseconds(500)
            let path = "/tmp/ociai-slow-\(UInt64.random(in: 0 ... .max)).sock"
            defer { unlink(path) }
            try await withServer(limits, request: Self.request, unixPath: overUnix ? path : nil) { values in
                var iterator = values.makeAsyncIterator()
                let value = try #require(try await iterator.next())
                while await value.requests.next() != nil {
                    value.connection.send(Self.large)
                    break
                }
                // Ends only when the connection does.
                try await value.departure.get()
                try await value.connection.channel.closeFuture.get()
            }
        #endif
    }

    /// It takes far longer than any limit, a little at a time.
    @Test(.timeLimit(.minutes(5))) func `Who takes a little now and then gets it all`() async throws {
        var limits = ConnectionLimits()
        limits.writeTimeout = .seconds(2)
        limits.headTimeout = .seconds(2)
        limits.lingerTimeout = .seconds(2)
        let counter = ByteCounter()
        try await withServer(
            limits, request: "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", reader: counter.handler()
        ) { values in
            var iterator = values.makeAsyncIterator()
            let value = try #require(try await iterator.next())
            while await value.requests.next() != nil {
                value.connection.send(Self.large)
                break
            }
            let received = try await counter.end.get()
            #expect(received > 20_000_000, "\(received) bytes")
        }
    }

    /// Reads a piece, waits for a moment, reads the next.
    private struct ByteCounter {
        let promise = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Int.self)
        var end: EventLoopFuture<Int> { promise.futureResult }

        func handler() -> Handler { Handler(promise) }

        final class Handler: ChannelInboundHandler, Sendable {
            typealias InboundIn = ByteBuffer
            private let promise: EventLoopPromise<Int>
            private let count = Mutex(0)

            init(_ promise: EventLoopPromise<Int>) { self.promise = promise }

            func channelActive(context: ChannelHandlerContext) { context.read() }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                let size = unwrapInboundIn(data).readableBytes
                count.withLock { $0 += size }
            }

            func channelReadComplete(context: ChannelHandlerContext) {
                let channel = context.channel
                // 20 MB in pieces of some 32 kB: five seconds, longer than any of the limits.
                context.eventLoop.scheduleTask(in: .milliseconds(8)) { channel.read() }
            }

            func channelInactive(context: ChannelHandlerContext) { promise.succeed(count.withLock { $0 }) }

            func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
        }
    }
}
