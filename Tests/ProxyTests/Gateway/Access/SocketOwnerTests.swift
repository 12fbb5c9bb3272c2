import Dispatch
import NIOCore
import NIOPosix
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The kernel's word about real sockets on loopback.
@Suite struct SocketOwnerTests {
    private static func withConnection(
        at host: String, _ body: (_ peer: ClientPeer, _ client: any Channel) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).bind(host: host, port: 0).get()
        let address = try #require(server.localAddress)
        let client = try await ClientBootstrap(group: group).connect(to: address).get()
        try await body(ClientPeer(remote: client.localAddress, local: address), client)
        try? await client.close()
        try? await server.close()
    }

    @Test(arguments: ["127.0.0.1", "::1"]) func `The owner of a connection is known`(host: String) async throws {
        try await Self.withConnection(at: host) { peer, client in
            #expect(await SocketOwner.ofPeer(peer) == UInt32(geteuid()))
            try await client.close()
            #expect(await SocketOwner.ofPeer(peer) == nil, "the kernel calls a closed socket root's")
        }
    }

    #if os(Linux)
        @Test func `The kernel is asked for one socket`() async throws {
            try #require(SocketDiagnosis.isAvailable)
            try await Self.withConnection(at: "127.0.0.1") { peer, _ in
                let (remote, own) = (try #require(peer.remote), try #require(peer.local))
                #expect(SocketDiagnosis.owner(of: remote, connectedTo: own) == .owner(UInt32(geteuid())))
                // A listening socket of the same port is no connection.
                let nobody = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
                #expect(SocketDiagnosis.owner(of: own, connectedTo: nobody) == .nobody)
                #expect(
                    SocketDiagnosis.owner(
                        of: remote, connectedTo: try SocketAddress(ipAddress: "127.0.0.2", port: try #require(own.port))
                    ) == .nobody)
            }
        }
    #endif

    @Test func `Few wait for the tables and the others are turned away`() async throws {
        let gate = DispatchSemaphore(value: 0)
        let reads = Mutex(0)
        let table = SocketTable { _, _ in
            reads.withLock { $0 += 1 }
            gate.wait()
            return 1000
        }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        await withTaskGroup(of: UInt32?.self) { group in
            for _ in 0..<50 { group.addTask { await table.owner(of: address, connectedTo: address) } }
            var answers: [UInt32?] = []
            for await answer in group {
                answers.append(answer)
                // All but those who wait have their answer, without a read.
                if answers.count == 50 - SocketTable.longestLine - 1 {
                    #expect(reads.withLock { $0 } <= 1)
                    for _ in 0...SocketTable.longestLine { gate.signal() }
                }
            }
            #expect(answers.count { $0 == nil } == 50 - SocketTable.longestLine - 1)
        }
        #expect(reads.withLock { $0 } == SocketTable.longestLine + 1)
    }
}
