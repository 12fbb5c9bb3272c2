import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A Unix socket that the proxy makes itself.
enum OwnUnixSocket {
    /// Listens at a path. A socket there that nobody listens at is what an earlier process has left, and is replaced.
    ///
    /// Its mode lets nobody but the owner in (and root): whoever opens it counts as the operator.
    ///
    /// - Throws: `ExitError` when that cannot be.
    static func listen(at path: String, with bootstrap: ServerBootstrap) async throws -> any Channel {
        func failure(_ reason: String, _ fix: String) -> ExitError {
            ExitError(.cannotBind, "cannot listen on unix:\(path): \(reason); \(fix)")
        }
        var status = stat()
        if unsafe lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw failure("there is a file that is no socket", "remove it, or change admin_listen")
            }
            switch knock(at: path) {
            case 0, EAGAIN, EINPROGRESS:
                throw failure("another process listens there", "stop it, or change admin_listen")
            case ECONNREFUSED: unsafe unlink(path)
            case ENOENT: break
            case let number:
                throw failure(
                    "whether another process listens there cannot be found out (\(SystemCall.message(number)))",
                    "remove it if none does, or change admin_listen")
            }
        }
        let descriptor = unbound()
        // Nobody can connect before it listens, and by then its mode is that of its owner alone.
        guard descriptor >= 0, unsafe call(bind, descriptor, at: path) == 0, unsafe chmod(path, 0o600) == 0 else {
            let reason = SystemCall.message(errno)
            if descriptor >= 0 { close(descriptor) }
            throw failure(reason, "check that its directory exists and can be written")
        }
        // Who has made it removes it, and nobody else: another process may have put its own there since.
        let made = identity(of: path)
        @Sendable func remove() {
            if made != nil, identity(of: path) == made { _ = unsafe unlink(path) }
        }
        do {
            let channel = try await bootstrap.withBoundSocket(descriptor).get()
            InheritedSocket(descriptor: descriptor, name: path).setBacklog(Listener.backlog)
            channel.closeFuture.whenComplete { _ in remove() }
            return channel
        } catch {
            remove()
            throw failure("\(error)", "check that its directory exists and can be written")
        }
    }

    /// Whether somebody listens at a path: 0, or what the system says.
    private static func knock(at path: String) -> Int32 {
        let descriptor = unbound()
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // A line that is full must not keep us.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return unsafe call(connect, descriptor, at: path) == 0 ? 0 : errno
    }

    private static func unbound() -> Int32 {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_UNIX, stream, 0)
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return descriptor
    }

    /// bind(2) or connect(2) with the address of a path.
    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, at path: String
    ) -> Int32 {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
            errno = ENAMETOOLONG
            return -1
        }
        // The address lives as long as the call, which is told its length.
        return unsafe address.withSockAddr { unsafe function(descriptor, $0, socklen_t($1)) }
    }

    /// Of the file at a path.
    private static func identity(of path: String) -> [UInt64]? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}
