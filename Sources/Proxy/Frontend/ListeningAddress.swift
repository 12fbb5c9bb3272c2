import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the proxy listens: at the configured address, or on the sockets of the service manager, which then take its place.
enum ListeningAddress: Equatable, Sendable {
    case host(String, port: Int)
    case inherited([InheritedSocket])

    /// - Returns: the sockets, which accept from now on.
    /// - Throws: `ExitError` when one of them cannot be had.
    func listen(with bootstrap: ServerBootstrap) async throws -> [any Channel] {
        switch self {
        case .host(let host, let port):
            do {
                return [try await bootstrap.bind(host: host, port: port).get()]
            } catch let error as IOError {
                throw Self.failure(error, at: "\(host.contains(":") ? "[\(host)]" : host):\(port)")
            } catch let error as SocketAddressError {
                throw ExitError(.cannotBind, "cannot listen on \(host):\(port): the host cannot be resolved (\(error)); check host in the config file")
            }
        case .inherited(let sockets):
            // All are looked at before the first is listened on.
            for socket in sockets { try socket.prepare() }
            var channels: [any Channel] = []
            for socket in sockets {
                do {
                    channels.append(try await bootstrap.withBoundSocket(socket.descriptor).get())
                } catch let error as IOError {
                    throw Self.failure(error, at: "descriptor \(socket.descriptor) (\(socket.name))")
                }
            }
            return channels
        }
    }

    private static func failure(_ error: IOError, at place: String) -> ExitError {
        let (reason, mend) =
            switch error.errnoCode {
            case EADDRINUSE: ("the port is in use", "stop the program that uses it, or choose another port (-port N)")
            case EACCES: ("the port needs privileges", "use a port above 1023, or give the program CAP_NET_BIND_SERVICE")
            case EADDRNOTAVAIL: ("no interface has this address", "check host in the config file")
            default: ("\(error)", "check host and port")
            }
        return ExitError(.cannotBind, "cannot listen on \(place): \(reason); \(mend)")
    }
}
