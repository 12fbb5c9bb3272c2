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
            let probe = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(1))
            if let living = try? await probe.connect(unixDomainSocketPath: path).get() {
                try? await living.close()
                throw failure("another process listens there", "stop it, or change admin_listen")
            }
            unsafe unlink(path)
        }
        do {
            // It must not be open to others even for a moment, and a mode cannot be given to bind(2).
            let before = umask(0o177)
            defer { _ = umask(before) }
            let channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
            // Who has made it removes it, and nobody else: another process may have put its own there since.
            let made = identity(of: path)
            channel.closeFuture.whenComplete { _ in
                if made != nil, identity(of: path) == made { _ = unsafe unlink(path) }
            }
            return channel
        } catch {
            throw failure("\(error)", "check that its directory exists and can be written")
        }
    }

    /// Of the file at a path.
    private static func identity(of path: String) -> [UInt64]? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}
