import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Proxy

@Suite struct KeyReceiverTests {
    private func objection(_ address: String, _ listener: SocketOwner.Listener, name: String? = nil) -> String? {
        let receiver = KeyReceiver(
            trusted: [0, 1000], listener: { _ in listener }, fileOwner: { _ in 4711 },
            nameOfUser: { name ?? "user \($0)" })
        return OperatorAddress(address).flatMap { receiver.objection(to: $0) }
    }

    @Test func `A key is not sent to a program of another user`() {
        for address in ["http://127.0.0.1:1", "http://localhost:1", "http://192.0.2.7:1", "http://[::1]:1"] {
            for user: UInt32 in [0, 1000] { #expect(objection(address, .user(user)) == nil) }
            #expect(objection(address, .user(1001))?.contains("user 1001") == true)
            #expect(objection(address, .user(1001), name: "ociai-proxy") == nil)
        }
        #expect(objection("unix:/x", .nobody)?.contains("user 4711") == true)
    }

    @Test func `Who listens on this machine must be known where the kernel tells`() {
        #expect(objection("http://127.0.0.1:1", .nobody) != nil)
        #expect(objection("http://127.0.0.1:1", .unknown) == nil)
        #expect(objection("http://192.0.2.7:1", .nobody) == nil)
        // The certificate shows who it is.
        #expect(objection("https://127.0.0.1:1", .user(1001)) == nil)
    }

    @Test func `The kernel tells who listens, also on all addresses`() async throws {
        for (place, asked) in [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::", "127.0.0.1"),
        ] {
            let group = MultiThreadedEventLoopGroup.singleton
            guard let server = try? await ServerBootstrap(group: group).bind(host: place, port: 0).get() else {
                continue
            }
            let port = try #require(server.localAddress?.port)
            let address = try SocketAddress(ipAddress: asked, port: port)
            #expect([.user(geteuid()), .unknown].contains(SocketOwner.ofListener(at: address)), "\(place) \(asked)")
            #expect(SocketTable.ownerOfListener(at: address) == geteuid(), "\(place) \(asked)")
            try await server.close()
            #expect([.nobody, .unknown].contains(SocketOwner.ofListener(at: address)))
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://proxy.example.com", "https://proxy.example.com:443"),
        ("9090", "http://127.0.0.1:9090"), ("[::1]:9090", "http://[::1]:9090"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("http://127.0.0.1:8080/v1", nil), ("ftp://x", nil), ("", nil), ("127.0.0.1:0", nil),
    ])
    func `An address is named as people write it`(text: String, shown: String?) {
        #expect(OperatorAddress(text)?.description == shown)
    }
}
