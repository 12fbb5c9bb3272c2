import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A listening socket that can be closed and opened again on the same port.
final class Listener: Sendable {
    private struct State {
        var server: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var port: Int
        /// A connection that is accepted late, while the listener closes, is hung up on like the others.
        var isClosing = false
        /// Held between `refuse` and `open`.
        var reservation: PortReservation?
    }

    private let group: any EventLoopGroup
    private let host: String
    private let service: SimulatedService
    private let control: ControlAPI
    private let state: Mutex<State>

    init(group: any EventLoopGroup, host: String, port: Int, service: SimulatedService, control: ControlAPI) {
        self.group = group
        self.host = host
        self.service = service
        self.control = control
        state = Mutex(State(port: port))
    }

    /// The port that was asked for, or, after the first `open`, the one that the system chose.
    var port: Int { state.withLock { $0.port } }

    /// Listens; does nothing when it listens already.
    func open() -> EventLoopFuture<Void> {
        let (isOpen, port) = state.withLock { state in
            state.reservation = nil
            state.isClosing = false
            return (state.server != nil, state.port)
        }
        guard !isOpen else { return group.any().makeSucceededVoidFuture() }
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [service, control] channel in
                self.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(service: service, control: control))
                }
            }
            .bind(host: host, port: port)
            .map { server in
                self.state.withLock { state in
                    state.server = server
                    state.port = server.localAddress?.port ?? state.port
                }
            }
    }

    /// Refuses new connections, and hangs up on the open ones.
    func close() -> EventLoopFuture<Void> {
        let (server, connections) = state.withLock { state in
            defer { state.server = nil }
            state.isClosing = true
            return (state.server, Array(state.connections.values))
        }
        let closed = server?.close() ?? group.any().makeSucceededVoidFuture()
        for connection in connections { connection.pipeline.fireUserInboundEventTriggered(HangUp()) }
        return closed.flatMapError { error in
            // Closed already: what was wanted.
            error is ChannelError
                ? self.group.any().makeSucceededVoidFuture() : self.group.any().makeFailedFuture(error)
        }
    }

    /// The same, but the port stays ours until `open`: another listener on it would answer in our place.
    func refuse() -> EventLoopFuture<Void> {
        close().map {
            self.state.withLock { $0.reservation = PortReservation(host: self.host, port: $0.port) }
        }
    }

    private func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isTooLate = state.withLock { state in
            state.connections[id] = channel
            return state.isClosing
        }
        if isTooLate { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.connections[id] = nil } }
    }
}
