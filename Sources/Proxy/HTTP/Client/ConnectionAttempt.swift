import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS

/// One connection in the making, up to the point where HTTP can be spoken to its origin. It has one deadline for all of it, and
/// can be ended in each of its steps.
final class ConnectionAttempt: Cancellable {
    private let origin: Origin
    private let loop: any EventLoop
    private let connector: Connector
    private let proxy: ProxyRules.Proxy?
    /// Those that have been begun: more than one where a name has several addresses.
    private var channels: [any Channel] = []
    private var deadline: Scheduled<Void>?
    /// Looks at the clock that often, to know whether the process stood still meanwhile: that time is not the upstream's.
    private static let tick = TimeAmount.seconds(1)
    private var gap = ClockGap()
    private var completion: ((Result<any Channel, any Error>) -> Void)?

    init(to origin: Origin, on loop: any EventLoop, by connector: Connector) {
        self.origin = origin
        self.loop = loop
        self.connector = connector
        proxy = connector.proxies.proxy(for: origin)
    }

    /// - Parameter completion: called once, on the loop; with a failure, every channel has been closed.
    func start(_ completion: @escaping (Result<any Channel, any Error>) -> Void) {
        self.completion = completion
        watch(until: .nanoseconds((loop.now + connector.timeout).uptimeNanoseconds))
        let target = proxy?.origin ?? origin
        let bound = NIOLoopBound(self, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: UpstreamConnection.waterMark)
            // The deadline above is the one that counts.
            .connectTimeout(connector.timeout + .hours(24))
            .channelInitializer { channel in bound.value.begins(channel) }
        let connected =
            if let path = connector.unixSocket {
                bootstrap.connect(unixDomainSocketPath: path)
            } else if let address = try? SocketAddress(ipAddress: target.host, port: target.port) {
                bootstrap.connect(to: address)
            } else {
                // Names are resolved on a thread of their own.
                bootstrap.connect(host: target.host, port: target.port)
            }
        connected.hop(to: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error): self.finish(.failure(self.told(error, of: target)))
            }
        }
    }

    func cancel() {
        finish(.failure(CancellationError()))
    }

    /// Gives up at that moment of the loop's clock.
    private func watch(until due: Duration) {
        let look = min(due, .nanoseconds((loop.now + Self.tick).uptimeNanoseconds))
        deadline = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(0) + TimeAmount(look)) {
            let now = Duration.nanoseconds(self.loop.now.uptimeNanoseconds)
            let due = self.gap.looked(at: now, planned: look)?.postponed(due) ?? due
            if due <= now { self.finish(.failure(TransportError.connectTimeout)) } else { self.watch(until: due) }
        }
    }

    // MARK: Steps

    private func begins(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard completion != nil else { return loop.makeFailedFuture(CancellationError()) }
        channels.append(channel)
        return loop.makeSucceededVoidFuture()
    }

    private func connected(_ channel: any Channel) {
        guard completion != nil else { return channel.close(promise: nil) }
        channels = [channel]
        guard origin.isTLS else { return finish(.success(channel)) }
        guard let proxy else { return secure(channel) }
        let tunnel = ProxyTunnel(to: origin, through: proxy, on: loop)
        tunnel.dig(in: channel).assumeIsolated().whenComplete { result in
            switch result {
            case .success: self.secure(channel)
            case .failure(let error): self.finish(.failure(self.told(error, of: proxy.origin)))
            }
        }
    }

    private func secure(_ channel: any Channel) {
        guard completion != nil else { return }
        let handshake = Handshake(on: loop)
        do {
            // An address has no place in SNI; the certificate is held against it all the same.
            let isAddress = (try? SocketAddress(ipAddress: origin.host, port: origin.port)) != nil
            let name = isAddress ? nil : origin.host
            let handler =
                if let certificate = connector.certificate {
                    try NIOSSLClientHandler(
                        context: connector.tls, serverHostname: name,
                        customVerificationCallback: { chain, verdict in
                            verdict.succeed(chain.first == certificate ? .certificateVerified : .failed)
                        })
                } else {
                    try NIOSSLClientHandler(context: connector.tls, serverHostname: name)
                }
            try channel.pipeline.syncOperations.addHandlers([handler, handshake])
        } catch {
            return finish(.failure(error))
        }
        handshake.done.assumeIsolated().whenComplete { result in
            switch result {
            case .success:
                channel.pipeline.syncOperations.removeHandler(handshake).assumeIsolated().whenComplete { _ in
                    self.finish(.success(channel))
                }
            case .failure(let error): self.finish(.failure(TransportError.whileSecuring(error)))
            }
        }
    }

    private func told(_ error: any Error, of target: Origin) -> any Error {
        let error = TransportError.whileConnecting(to: target, error)
        guard target != origin, case TransportError.cannotConnect(let reason) = error else { return error }
        return TransportError.cannotConnect("the outbound proxy \(reason)")
    }

    private func finish(_ result: Result<any Channel, any Error>) {
        guard let completion = completion.take() else { return }
        deadline?.cancel()
        if case .failure = result {
            for channel in channels { channel.closeAtOnce() }
        }
        channels = []
        completion(result)
    }
}

/// Waits for the end of a TLS handshake.
private final class Handshake: ConnectionStep {
    typealias InboundIn = ByteBuffer

    let promise: EventLoopPromise<Void>

    init(on loop: any EventLoop) {
        promise = loop.makePromise()
    }

    var done: EventLoopFuture<Void> { promise.futureResult }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { promise.succeed() }
        context.fireUserInboundEventTriggered(event)
    }
}

extension TransportError {
    /// While TLS was being agreed on.
    fileprivate static func whileSecuring(_ error: any Error) -> any Error {
        switch whileExchanging(error) {
        case TransportError.connectionLost(let reason): TransportError.tls("the handshake failed: \(reason)")
        case let error: error
        }
    }
}

extension Channel {
    /// Closes without waiting for the other side's goodbye in TLS. On the channel's event loop only.
    func closeAtOnce() {
        close(promise: nil)
        // Closed by now, unless TLS waits: then from below it.
        if isActive, let tls = try? pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(promise: nil)
        }
    }
}
