import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestFixtures

/// A server on loopback that a test plays by hand, byte by byte, over TCP or TLS.
final class PlayedServer: Sendable {
    let port: Int
    private let listener: any Channel
    private let arrivals: Arrivals

    /// - Parameters:
    ///   - tls: speaks TLS with the fixtures' certificate, which is good for localhost and 127.0.0.1.
    ///   - pausesReading: each peer stops reading once it has received something, until it is told to go on.
    init(
        tls: Bool = false, host: String = "127.0.0.1", pausesReading: Bool = false,
        configure: (@Sendable (inout TLSConfiguration) -> Void)? = nil
    ) async throws {
        let arrivals = Arrivals()
        let context = tls ? try Self.context(configure) : nil
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = Peer(channel)
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Peer.Handler(peer, pausesReading: pausesReading))
                    arrivals.add(peer)
                }
            }
            .bind(host: host, port: 0).get()
        port = listener.localAddress?.port ?? 0
        self.arrivals = arrivals
    }

    deinit {
        listener.close(promise: nil)
    }

    static func fixture(_ name: String) -> String {
        Fixtures.url("tls/\(name)").path
    }

    private static func context(_ configure: (@Sendable (inout TLSConfiguration) -> Void)?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(fixture("server.pem")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: fixture("server.key"), format: .pem)))
        configuration.applicationProtocols = ["http/1.1"]
        configure?(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }

    /// The next connection.
    func accept() async -> Peer { await arrivals.next() }

    /// How many connections have come and have not been accepted.
    var waitingConnections: Int { arrivals.count }

    func stop() async throws {
        try await listener.close()
    }

    private final class Arrivals: Sendable {
        private struct State {
            var peers: [Peer] = []
            var waiters: [CheckedContinuation<Peer, Never>] = []
        }
        private let state = Mutex(State())

        var count: Int { state.withLock(\.peers.count) }

        func add(_ peer: Peer) {
            let waiter = state.withLock { state -> CheckedContinuation<Peer, Never>? in
                if !state.waiters.isEmpty { return state.waiters.removeFirst() }
                state.peers.append(peer)
                return nil
            }
            waiter?.resume(returning: peer)
        }

        func next() async -> Peer {
            await withCheckedContinuation { waiter in
                let peer = state.withLock { state -> Peer? in
                    if !state.peers.isEmpty { return state.peers.removeFirst() }
                    state.waiters.append(waiter)
                    return nil
                }
                if let peer { waiter.resume(returning: peer) }
            }
        }
    }
}

/// One connection of a `PlayedServer`.
final class Peer: Sendable {
    struct State {
        /// What has come and has not been taken.
        var bytes: [UInt8] = []
        var total = 0
        var isClosed = false
        var isReading = true
        fileprivate var waiter: (condition: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)?
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    let channel: any Channel
    private let state = Mutex(State())

    fileprivate init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Waits until what has come is as `condition` says. For one task at a time.
    func wait(_ condition: @escaping @Sendable (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMet = state.withLock { state in
                if condition(state) { return true }
                state.waiter = (condition, continuation)
                return false
            }
            if isMet { continuation.resume() }
        }
    }

    /// Takes one request with its body, if it has a length.
    @discardableResult
    func request() async -> String {
        await wait { Self.requestLength($0.bytes) != nil || $0.isClosed }
        return state.withLock { state in
            let length = Self.requestLength(state.bytes) ?? state.bytes.count
            defer { state.bytes.removeFirst(length) }
            return String(decoding: state.bytes.prefix(length), as: UTF8.self)
        }
    }

    private static func requestLength(_ bytes: [UInt8]) -> Int? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        let length = head.components(separatedBy: "\r\ncontent-length: ").dropFirst().first?.prefix { $0.isNumber }
        let whole = end.upperBound + (length.flatMap { Int($0) } ?? 0)
        return bytes.count >= whole ? whole : nil
    }

    /// Waits until the other side has closed.
    func closed() async { await wait(\.isClosed) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func close() async { try? await channel.close() }

    /// Closes so that the other side meets a reset.
    func reset() async throws {
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    /// Closes below TLS, without a goodbye.
    func cut() async throws {
        let channel = channel
        try await channel.eventLoop.flatSubmit {
            do {
                return try channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self).close()
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    /// Takes again what the other side sends.
    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// Says `text`, and speaks TLS from there on.
    func startTLS(after text: String) async throws {
        let channel = channel
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(PlayedServer.fixture("server.pem")).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: PlayedServer.fixture("server.key"), format: .pem)))
        let context = try NIOSSLContext(configuration: configuration)
        // In one go: what the other side says next must not be taken for plain text.
        try await channel.eventLoop.submit {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .first)
        }.get()
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            body(&state)
            guard let waiter = state.waiter, waiter.condition(state) else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }

    fileprivate final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let peer: Peer
        private var pausesReading: Bool

        init(_ peer: Peer, pausesReading: Bool) {
            self.peer = peer
            self.pausesReading = pausesReading
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Self.unwrapInboundIn(data)
            if pausesReading {
                pausesReading = false
                context.channel.setOption(.autoRead, value: false).assumeIsolated().whenFailure { _ in
                    context.close(promise: nil)
                }
            }
            peer.change {
                $0.bytes += bytes.readableBytesView
                $0.total += bytes.readableBytes
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            peer.change { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
