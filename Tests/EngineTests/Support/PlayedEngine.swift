import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import ProxyCluster
import ProxyEngine
import Synchronization
import TestFixtures

/// An engine that answers as a test says: on loopback, or on a Unix socket.
final class PlayedEngine: Sendable {
    enum Play: Sendable {
        case say(String)
        case close
        /// Closes below TLS, without a goodbye.
        case cut
    }

    struct State: Sendable {
        /// Commands of all connections.
        var heard: [[String]] = []
        /// Connections that have come, and those that are still there.
        var arrived = 0
        var open = 0
        fileprivate var channels: [any Channel] = []
        fileprivate var waiters:
            [(condition: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let port: Int
    private let listener: any Channel
    private let shared: Shared

    /// - Parameters:
    ///   - tls: with the fixtures' certificate, which is good for localhost and 127.0.0.1.
    ///   - path: of a Unix socket, in place of a host.
    ///   - greeting: is said to each connection before anything has been asked.
    ///   - play: what comes of a command.
    init(
        host: String = "127.0.0.1", tls: Bool = false, path: String? = nil, greeting: String? = nil,
        play: @escaping @Sendable ([String]) -> [Play] = PlayedEngine.usual
    ) async throws {
        let shared = Shared()
        let context = tls ? try Self.context() : nil
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Player(shared, greeting, play))
                    shared.change { state in
                        state.arrived += 1
                        state.open += 1
                        state.channels.append(channel)
                    }
                    channel.closeFuture.whenComplete { _ in shared.change { $0.open -= 1 } }
                }
            }
        if let path {
            listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
        } else {
            listener = try await bootstrap.bind(host: host, port: 0).get()
        }
        port = listener.localAddress?.port ?? 0
        self.shared = shared
    }

    deinit {
        listener.close(promise: nil)
        cut()
    }

    var state: State { shared.state.withLock { $0 } }

    /// Waits until it is so.
    func wait(until condition: @escaping @Sendable (State) -> Bool) async { await shared.wait(until: condition) }

    /// Says something to all who are there.
    func say(_ text: String) {
        for channel in state.channels { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    }

    func say(_ bytes: [UInt8]) {
        for channel in state.channels { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    }

    /// Nobody can come any more.
    func stop() async throws { try await listener.close() }

    /// Closes all connections.
    func cut() { for channel in state.channels { channel.close(promise: nil) } }

    /// - Parameter patience: long, but where a test waits for its end.
    func client(
        host: String = "127.0.0.1", tls: Bool = false, trusting authorities: String? = nil, user: String = "",
        password: String? = nil, database: Int = 0, patience: Duration = .seconds(30), pulse: Duration = .seconds(60)
    ) -> RedisEngine {
        RedisEngine(
            at: .host(host, port: port, isTLS: tls), trusting: authorities,
            as: .init(user: user, password: password, database: database, name: "here"), patience: patience,
            pulse: pulse)
    }

    static let authority = Fixtures.url("tls/authority.pem").path

    // MARK: Answers

    /// What a willing Redis says.
    static func usual(_ command: [String]) -> [Play] {
        switch command.first {
        case "INFO": [.say(bulk(information()))]
        case "SUBSCRIBE": [.say("*3\r\n" + bulk("subscribe") + bulk(command.last ?? "") + ":1\r\n")]
        case "PING": [.say("+PONG\r\n")]
        default: [.say("+OK\r\n")]
        }
    }

    static func information(version: String = "7.2.4", mode: String = "standalone", more: String = "") -> String {
        "# Server\r\nredis_version:\(version)\r\n\(more)redis_mode:\(mode)\r\nrun_id:0123456789\r\n"
    }

    static func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

    static func message(_ text: String) -> String { "*3\r\n" + bulk("message") + bulk("news") + bulk(text) }

    private static func context() throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(Fixtures.url("tls/server.pem").path)
                    .map { .certificate($0) },
                privateKey: .privateKey(
                    try NIOSSLPrivateKey(file: Fixtures.url("tls/server.key").path, format: .pem))))
    }

    private final class Shared: Sendable {
        let state = Mutex(State())

        func change(_ body: (inout State) -> Void) {
            let met = state.withLock { state in
                body(&state)
                let present = state
                let met = present.waiters.filter { $0.condition(present) }
                state.waiters.removeAll { $0.condition(present) }
                return met.map(\.continuation)
            }
            for continuation in met { continuation.resume() }
        }

        func wait(until condition: @escaping @Sendable (State) -> Bool) async {
            await withCheckedContinuation { continuation in
                let isMet = state.withLock { state in
                    if condition(state) { return true }
                    state.waiters.append((condition, continuation))
                    return false
                }
                if isMet { continuation.resume() }
            }
        }
    }

    private final class Player: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let shared: Shared
        private let greeting: String?
        private let play: @Sendable ([String]) -> [Play]
        private var reader = RESPReader()

        init(_ shared: Shared, _ greeting: String?, _ play: @escaping @Sendable ([String]) -> [Play]) {
            self.shared = shared
            self.greeting = greeting
            self.play = play
        }

        func channelActive(context: ChannelHandlerContext) {
            if let greeting { context.channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let commands = try? reader.feed(unwrapInboundIn(data).readableBytesView) else {
                context.channel.writeAndFlush(ByteBuffer(string: "-ERR Protocol error: invalid\r\n"), promise: nil)
                return context.close(promise: nil)
            }
            for command in commands {
                let words = (command.array ?? []).map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
                shared.change { $0.heard.append(words) }
                for play in play(words) {
                    switch play {
                    case .say(let text): context.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
                    case .close: context.close(promise: nil)
                    case .cut:
                        let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
                        tls?.close(promise: nil)
                    }
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Why something could not be done; nil where it could.
func caught(_ body: () async throws -> Void) async -> EngineFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? EngineFailure ?? .unreachable("no failure of an engine: \(error)")
    }
}

extension EngineConnection {
    /// With much time.
    func ask(_ words: String...) async throws -> RESP {
        try await ask(words.map { Array($0.utf8) }, within: .seconds(30))
    }
}
