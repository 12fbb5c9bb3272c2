import NIOCore
import NIOPosix
import NIOSSL
import ProxyCluster

/// Opens channels to an engine, with TLS where the address asks for it.
struct ChannelOpener: Sendable {
    /// The path of a PEM file; nil: those of the system alone.
    let authorities: String?
    let group: any EventLoopGroup

    /// - Throws: `EngineFailure`. When the task is cancelled, no channel is left open.
    func open(_ place: RedisEngine.Place, within limit: Duration, hear: (@Sendable ([UInt8]) -> Void)?) async throws
        -> ChannelConnection
    {
        let opening = Opening()
        let bootstrap = try bootstrap(place, within: limit, opening, hear)
        do {
            return try await withTaskCancellationHandler {
                let channel =
                    switch place {
                    case .host(let host, let port, _): try await bootstrap.connect(host: host, port: port).get()
                    case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                    }
                return try opening.connection(over: channel)
            } onCancel: {
                opening.cancel()
            }
        } catch {
            opening.cancel()
            throw EngineFailure(error)
        }
    }

    private func bootstrap(
        _ place: RedisEngine.Place, within limit: Duration, _ opening: Opening, _ hear: (@Sendable ([UInt8]) -> Void)?
    ) throws(EngineFailure) -> ClientBootstrap {
        var tls: (context: NIOSSLContext, host: String?)?
        if case .host(let host, _, isTLS: true) = place {
            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
            tls = (try context(), isAddress ? nil : host)
        }
        var bootstrap = ClientBootstrap(group: group.next())
            .connectTimeout(TimeAmount(limit))
            .channelInitializer { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    // It may have an end before anybody asks, of which its handler knows the reason.
                    let handler = EngineHandler(on: channel.eventLoop, hear: hear)
                    try opening.add(
                        ChannelConnection(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop)))
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls.context, serverHostname: tls.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        if case .host = place { bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1) }
        return bootstrap
    }

    private func context() throws(EngineFailure) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            if let authorities {
                configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(authorities))]
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tls("the certificates of ca_file cannot be read (\(error))")
        }
    }
}
