import NIOCore
import NIOSSL

/// Sets up each accepted connection and answers its requests, one after the other.
///
/// What is spoken on the connection is ours, because a proxy needs to see three things that a web framework hides: that the
/// client left while nothing was being written, that a body should not be carried in at all, and that the connection has
/// been silent (docs/decisions/0003-own-http-connection.md).
struct ClientChannel: Sendable {
    let gate: any RequestGate
    let drain: Drain
    let limits: ConnectionLimits
    /// Without one, the connection is plain HTTP.
    let certificate: ListenerCertificate
    let executors: EventLoopExecutors

    struct Value: Sendable {
        let connection: ClientConnection
        let requests: RequestMailbox
        /// Succeeds when the client leaves in the middle of an answer, when `shutdown_grace` is over, or when the connection is gone.
        let departure: EventLoopFuture<Void>
    }

    /// Runs on the channel's event loop.
    func setUp(_ channel: any Channel) throws -> Value {
        let requests = RequestMailbox(on: channel.eventLoop)
        let departure = channel.eventLoop.makePromise(of: Void.self)
        // A client that has said all it wants to say may still want the answer; that it has is decided by the handler.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        try limits.boundWrites(on: channel)
        let pair = certificate.current
        if let pair { try channel.pipeline.syncOperations.addTLS(pair, gate: gate, limits: limits) }
        let handler = ConnectionHandler(
            gate: gate, limits: limits, requests: requests, departure: departure, isNextToSocket: pair == nil)
        try channel.pipeline.syncOperations.addHandler(handler)
        let connection = ClientConnection(channel, writer: handler, executor: executors.executor(on: channel.eventLoop))
        return Value(connection: connection, requests: requests, departure: departure.futureResult)
    }

    /// Answers the requests of a connection, to its end. On the connection's own loop: what is small is answered there, without waking
    /// another thread (docs/decisions/0007).
    func handle(_ value: Value) async {
        await value.requests.serve(until: value.departure) { request in
            await request.ticket.respond(to: request, on: value.connection)
        }
        // At the end of the grace the handler closes, once the last words have reached the client.
        if !drain.isOver { value.connection.channel.close(promise: nil) }
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// TLS with `pair` in front of what is added later. The time for the handshake is that for the first head.
    func addTLS(_ pair: CertificatePair, gate: any RequestGate, limits: ConnectionLimits) throws {
        var configuration = NIOSSLHandler.Configuration()
        // A large answer must not leave its size behind on a connection that is kept.
        configuration.maximumPreservedOutboundBufferCapacity = 64 * 1024
        try addHandlers([
            PlainTextRefusal(gate: gate, patience: limits.lingerTimeout),
            NIOSSLServerHandler(context: pair.context, configuration: configuration),
        ])
    }
}

extension ConnectionLimits {
    /// Lets the kernel watch over `writeTimeout` (`TCP_USER_TIMEOUT`): it alone knows what has been acknowledged, as its buffers hold
    /// megabytes that look sent from here. It then ends the connection with an error. Unix sockets have no such thing.
    func boundWrites(on channel: any Channel) throws {
        #if os(Linux)
            switch channel.localAddress {
            case .v4, .v6:
                let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .tcpUserTimeout)
                try? channel.syncOptions?.setOption(option, value: Int(writeTimeout.nanoseconds / 1_000_000))
                return
            case .unixDomainSocket, nil: break
            }
        #endif
        try channel.pipeline.syncOperations.addHandler(WriteWatch(limit: writeTimeout))
    }
}

#if os(Linux)
    extension NIOBSDSocket.Option {
        /// `TCP_USER_TIMEOUT` of Linux's `netinet/tcp.h`, in milliseconds, which NIO does not name.
        fileprivate static let tcpUserTimeout = NIOBSDSocket.Option(rawValue: 18)
    }
#endif
