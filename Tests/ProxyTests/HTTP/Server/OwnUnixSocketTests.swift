import NIOCore
import NIOPosix
import Testing

@testable import Proxy

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The operator's socket: whose it is, and what may be in its place.
@Suite(.timeLimit(.minutes(5))) struct OwnUnixSocketTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/admin.sock" }
    private let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)

    init() throws { directory = try TemporaryDirectory() }

    private func status() -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    private func connects() async -> Bool {
        let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path).get()
        try? await channel?.close()
        return channel != nil
    }

    /// A socket of somebody else's, bound and perhaps listening.
    private func stranger(listening backlog: Int32?) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let address = try SocketAddress(unixDomainSocketPath: path)
        #expect(address.withSockAddr { bind(descriptor, $0, socklen_t($1)) } == 0)
        if let backlog { #expect(listen(descriptor, backlog) == 0) }
        return descriptor
    }

    @Test func `Nobody but its owner may open it, whatever the process's mask, and it goes with its listener`()
        async throws
    {
        let channel = try await OwnUnixSocket.listen(at: path, with: bootstrap)
        let mode = try #require(status()).st_mode
        #expect(mode & S_IFMT == S_IFSOCK && mode & 0o777 == 0o600)
        #expect(channel.localAddress?.pathname == path)
        #expect(await connects())
        try await channel.close()
        // Its loop removes it behind the close; else the time limit ends this.
        while status() != nil { await Task.yield() }
    }

    @Test func `One that nobody listens at is replaced`() async throws {
        let dead = try stranger(listening: nil)
        close(dead)
        let channel = try await OwnUnixSocket.listen(at: path, with: bootstrap)
        #expect(await connects())
        try await channel.close()
    }

    @Test func `One at which somebody listens stays, also while that one accepts nobody`() async throws {
        let living = try stranger(listening: 0)
        defer { close(living) }
        let before = try #require(status()).st_ino
        // The line is full: to connect would have to wait.
        let waiting = (0..<4).map { _ in
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = try? SocketAddress(unixDomainSocketPath: path).withSockAddr { connect(descriptor, $0, socklen_t($1)) }
            return descriptor
        }
        defer { for descriptor in waiting { close(descriptor) } }
        let error = await #expect(throws: ExitError.self) { try await OwnUnixSocket.listen(at: path, with: bootstrap) }
        #expect(error?.code == .cannotBind && error?.description.contains("another process listens there") == true)
        #expect(status()?.st_ino == before)
    }

    @Test func `A file that is no socket stays`() async throws {
        _ = try directory.write("precious", to: "admin.sock")
        let error = await #expect(throws: ExitError.self) { try await OwnUnixSocket.listen(at: path, with: bootstrap) }
        #expect(error?.description.contains("no socket") == true && status() != nil)
    }

    @Test func `Where its directory is missing, the error says so`() async throws {
        let error = await #expect(throws: ExitError.self) {
            try await OwnUnixSocket.listen(at: directory.path + "/no/where", with: bootstrap)
        }
        #expect(error?.code == .cannotBind && error?.description.contains("directory") == true)
    }

    @Test func `Another process's socket is not removed by who had one there before`() async throws {
        let channel = try await OwnUnixSocket.listen(at: path, with: bootstrap)
        unlink(path)
        let other = try stranger(listening: 1)
        defer { close(other) }
        try await channel.close()
        #expect(status() != nil)
    }
}
