import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The listening socket, and all that is connected to it.
struct Listener: Service {
    /// Connections that may wait to be accepted. A thousand clients at once is an ordinary morning; with the usual 128 the
    /// rest would wait for a second and more (the kernel may lower this to `net.core.somaxconn`).
    static let backlog = 4096

    private let server: any Service
    private let address: String

    init(doors: Doors, settings: ServerSettings, group: any EventLoopGroup, logger: Logger) throws {
        var serverLogger = logger
        serverLogger.logLevel = .warning
        let host = settings.host
        address = "\(host.contains(":") ? "[\(host)]" : host):\(settings.port)"
        server = ClientChannel(doors: doors, limits: ConnectionLimits()).server(
            configuration: .init(
                address: .hostname(host, port: settings.port), backlog: Self.backlog,
                availableConnectionsDelegate: ConnectionCount(doors: doors)),
            onServerRunning: { channel in Self.announce(channel, host: host, to: logger) },
            eventLoopGroup: group, logger: serverLogger)
    }

    /// Serves until the service group stops it, or its task is cancelled.
    ///
    /// - Throws: `ExitError` when the address cannot be bound.
    func run() async throws {
        do {
            try await server.run()
        } catch let error as IOError {
            let (reason, mend) =
                switch error.errnoCode {
                case EADDRINUSE: ("the port is in use", "stop the program that uses it, or choose another port (-port N)")
                case EACCES: ("the port needs privileges", "use a port above 1023, or give the program CAP_NET_BIND_SERVICE")
                case EADDRNOTAVAIL: ("no interface has this address", "check host in the config file")
                default: ("\(error)", "check host and port")
                }
            throw ExitError(.cannotBind, "cannot listen on \(address): \(reason); \(mend)")
        } catch let error as SocketAddressError {
            throw ExitError(.cannotBind, "cannot listen on \(address): the host cannot be resolved (\(error)); check host in the config file")
        }
    }

    private static func announce(_ channel: any Channel, host: String, to logger: Logger) {
        let port = channel.localAddress?.port ?? 0
        let shown = host.contains(":") ? "[\(host)]" : host
        logger.info("Listening on http://\(shown):\(port)")
        if channel.localAddress?.isLoopback != true {
            logger.warning("Every machine that can reach this one can connect: host = \(host) is not a loopback address")
        }
    }
}

/// Bounds the open connections by what the present configuration says. Those beyond wait to be accepted.
private struct ConnectionCount: AvailableConnectionsDelegate {
    let doors: Doors
    private var count = 0

    init(doors: Doors) { self.doors = doors }

    mutating func connectionOpened() { count += 1 }
    mutating func connectionClosed() { count -= 1 }
    func isAcceptingNewConnections() -> Bool { count < doors.current.limits.connections }
}
