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
    /// A Unix socket that only its owner can open.
    case unix(String)

    /// - Returns: the sockets, which accept from now on.
    /// - Throws: `ExitError` when one of them cannot be had.
    func listen(with bootstrap: ServerBootstrap) async throws -> [any Channel] {
        switch self {
        case .host(let host, let port) where host.lowercased() == "localhost":
            return try await Self.listenOnBothLoopbacks(with: bootstrap, port: port)
        case .host(let host, let port): return [try await Self.bind(bootstrap, host, port)]
        case .unix(let path): return [try await OwnUnixSocket.listen(at: path, with: bootstrap)]
        case .inherited(let sockets):
            // All are looked at before the first is listened on.
            for socket in sockets { try socket.prepare() }
            var channels: [any Channel] = []
            for socket in sockets {
                do {
                    channels.append(try await bootstrap.withBoundSocket(socket.descriptor).get())
                    // NIO has just shortened the line of those who wait in the kernel to 128.
                    socket.setBacklog(Listener.backlog)
                } catch let error as IOError {
                    throw Self.failure(error, at: "descriptor \(socket.descriptor) (\(socket.name))")
                }
            }
            return channels
        }
    }

    /// Clients take `localhost` for 127.0.0.1 or for ::1, as they like; so it has to be both, where this machine has both.
    private static func listenOnBothLoopbacks(with bootstrap: ServerBootstrap, port: Int) async throws -> [any Channel]
    {
        let first = try await bind(bootstrap, "127.0.0.1", port)
        do {
            return [first, try await bootstrap.bind(host: "::1", port: first.localAddress?.port ?? port).get()]
        } catch let error as IOError where error.errnoCode == EADDRINUSE && port != 0 {
            try? await first.close()
            throw failure(error, at: "[::1]:\(port)")
        } catch {
            return [first]
        }
    }

    private static func bind(_ bootstrap: ServerBootstrap, _ host: String, _ port: Int) async throws -> any Channel {
        do {
            return try await bootstrap.bind(host: host, port: port).get()
        } catch let error as IOError {
            throw failure(error, at: "\(host.contains(":") ? "[\(host)]" : host):\(port)")
        } catch let error as SocketAddressError {
            throw ExitError(
                .cannotBind,
                "cannot listen on \(host):\(port): the host cannot be resolved (\(error)); check host in the config file"
            )
        }
    }

    private static func failure(_ error: IOError, at place: String) -> ExitError {
        let (reason, fix) =
            switch error.errnoCode {
            case EADDRINUSE: ("the port is in use", "stop the program that uses it, or choose another port (-port N)")
            case EACCES:
                ("the port needs privileges", "use a port above 1023, or give the program CAP_NET_BIND_SERVICE")
            case EADDRNOTAVAIL: ("no interface has this address", "check host in the config file")
            default: ("\(error)", "check host and port")
            }
        return ExitError(.cannotBind, "cannot listen on \(place): \(reason); \(fix)")
    }
}
