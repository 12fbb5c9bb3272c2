import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The listening sockets, all that is connected to them, and the order in which both end.
struct Listener: Service {
    /// Connections that may wait to be accepted. A thousand clients at once is an ordinary morning; with the usual 128 the
    /// rest would wait for a second and more (the kernel may lower this to `net.core.somaxconn`).
    static let backlog: Int32 = 4096
    /// What is left to a connection after the grace, for the last words to its client.
    static let closeTimeout = Duration.seconds(1)

    let gate: any RequestGate
    let drain: Drain
    let certificate: ListenerCertificate
    let address: ListeningAddress
    /// What the log says of it, with a blank behind.
    var title = ""
    /// The sockets listen, at these addresses.
    let onStart: @Sendable ([SocketAddress]) -> Void
    /// They will accept no more.
    let onStop: @Sendable () -> Void
    let group: any EventLoopGroup
    let logger: Logger

    /// Its sockets accept, and nobody is served yet.
    struct Open: Sendable {
        fileprivate let sockets: [any Channel]
        fileprivate let connections: ClientConnections
        fileprivate let client: ClientChannel
        fileprivate let arrivals: AsyncStream<ClientChannel.Value>
        fileprivate let arrival: AsyncStream<ClientChannel.Value>.Continuation

        /// Gives it up again.
        func close() async {
            for socket in sockets { try? await socket.close().get() }
            connections.close()
        }
    }

    /// Serves until the service group stops it, then drains; or until its task is cancelled.
    ///
    /// - Throws: `ExitError` when the address cannot be bound, or the system closes a listening socket.
    func run() async throws { try await serve(try await open()) }

    /// Begins to accept.
    ///
    /// - Throws: `ExitError` when the address cannot be bound.
    func open() async throws -> Open {
        let client = ClientChannel(
            gate: gate, drain: drain, limits: ConnectionLimits(), certificate: certificate,
            executors: EventLoopExecutors(of: group))
        let (arrivals, arrival) = AsyncStream.makeStream(of: ClientChannel.Value.self)
        let connections = ClientConnections(on: group.any())
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: UInt(AcceptGate.burst))
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptGate(gate: gate, connections: connections, drain: drain, logger: logger))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { arrival.yield(try client.setUp(channel)) }
            }
        let sockets = try await address.listen(with: bootstrap)
        for socket in sockets {
            announce(socket)
            // NIO closes a socket on errors that it does not know. A process that listens to nobody is of no use.
            socket.closeFuture.whenComplete { _ in if !drain.isDraining { arrival.finish() } }
        }
        onStart(sockets.compactMap(\.localAddress))
        return Open(
            sockets: sockets, connections: connections, client: client, arrivals: arrivals, arrival: arrival)
    }

    /// Serves who comes until the service group stops it, then drains; or until its task is cancelled.
    ///
    /// - Throws: `ExitError` when the system closes a listening socket.
    func serve(_ open: Open) async throws {
        let (sockets, connections, client, arrival) = (open.sockets, open.connections, open.client, open.arrival)
        await withDiscardingTaskGroup { group in
            group.addTask {
                if (try? await gracefulShutdown()) != nil {
                    await stop(sockets, connections)
                } else {
                    // Cancelled: another part of the process has failed.
                    for socket in sockets { socket.close(promise: nil) }
                    connections.close()
                }
                arrival.finish()
            }
            for await value in open.arrivals {
                group.addTask(executorPreference: value.connection.executor) { await client.handle(value) }
            }
            if !drain.isDraining { group.cancelAll() }
        }
        guard drain.isDraining || Task.isCancelled else {
            throw ExitError(
                .internalError,
                "a listening socket was closed unexpectedly; see the preceding log lines, then restart the proxy"
            )
        }
    }

    /// Stops to accept, lets running requests end within the grace, has the others tell their clients, and closes what is left.
    private func stop(_ sockets: [any Channel], _ connections: ClientConnections) async {
        drain.begin()
        onStop()
        for socket in sockets { try? await socket.setOption(.autoRead, value: false).get() }
        // A connection that is accepted already is set up on its own event loop and cut off if its listening socket is gone by then.
        // After one turn of every loop, and one more of the sockets', none is on its way.
        for loop in group.makeIterator() { try? await loop.submit {}.get() }
        for socket in sockets { try? await socket.eventLoop.submit {}.get() }
        for socket in sockets { try? await socket.close().get() }
        connections.seal()
        connections.tell(ChannelShouldQuiesceEvent())

        let grace = gate.limits.shutdownGrace
        logger.info(
            "Stopping", metadata: ["connections": "\(connections.count)", "shutdown_grace_ms": "\(grace.milliseconds)"])
        if await connections.closed(within: grace) { return }
        logger.warning(
            "shutdown_grace expired; closing the remaining connections",
            metadata: ["connections": "\(connections.count)"])
        drain.end()
        connections.tell(GraceIsOver())
        if await connections.closed(within: Self.closeTimeout) { return }
        connections.close()
    }

    private func announce(_ socket: any Channel) {
        guard let address = socket.localAddress else { return }
        guard let ip = address.ipAddress, let port = address.port else {
            return logger.info("Listening \(title)on unix:\(address.pathname ?? "")")
        }
        logger.info(
            "Listening \(title)on \(certificate.current == nil ? "http" : "https")://\(ip.contains(":") ? "[\(ip)]" : ip):\(port)"
        )
        if !address.isLoopback {
            logger.warning("Other machines can connect: \(ip) is not a loopback address")
        }
    }
}

/// To each connection at the end of `shutdown_grace`.
struct GraceIsOver: Sendable {}
