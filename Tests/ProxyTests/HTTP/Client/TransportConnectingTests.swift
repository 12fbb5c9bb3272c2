import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

private typealias Bench = TransportBench

@Suite("The transport: connections", .timeLimit(.minutes(5)))
struct TransportConnectingTests {
    private static let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

    private func failure(_ transport: NIOTransport, _ request: TransportRequest) async -> TransportError? {
        do {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error as? TransportError
        }
    }

    private func reason(_ error: TransportError?) -> String {
        switch error {
        case .cannotConnect(let reason): reason
        case let other: "no cannotConnect: \(other.map(String.init(describing:)) ?? "nil")"
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func `A port where nobody listens refuses`(_ host: String) async throws {
        let server = try await PlayedServer()
        try await server.stop()
        let error = await failure(try Bench.transport(), Bench.request(server.port, host: host))
        #expect(reason(error).contains("\(host):\(server.port): connection refused"))
    }

    @Test func `A name that is none cannot be resolved`() async throws {
        // Too long for a name, so nobody is asked for it.
        let host = String(repeating: "a", count: 70) + ".invalid"
        let error = await failure(try Bench.transport(), Bench.request(80, host: host))
        #expect(reason(error).contains("the host name \(host) cannot be resolved"))
    }

    @Test func `TLS is spoken with a name in SNI, and with none for an address`() async throws {
        for (host, expected) in [("localhost", "localhost"), ("127.0.0.1", nil)] as [(String, String?)] {
            let names = Mutex<[String?]>([])
            let server = try await PlayedServer(tls: true) { configuration in
                configuration.sslContextCallback = { values, promise in
                    names.withLock { $0.append(values.serverHostname) }
                    promise.succeed(.noChanges)
                }
            }
            let transport = try Bench.transport()
            let call = Bench.call {
                try await Bench.text(transport, Bench.request(server.port, scheme: "https", host: host))
            }
            let peer = await server.accept()
            await peer.request()
            try await peer.send(Self.whole)
            #expect(try await call.value == "hello")
            #expect(names.withLock { $0 } == [expected])
            await transport.shutDown()
        }
    }

    @Test func `A certificate of an unknown authority is not accepted`() async throws {
        let server = try await PlayedServer(tls: true)
        let transport = try Bench.transport { $0.authorities = nil }
        guard
            case .tls(let reason)? = await failure(
                transport, Bench.request(server.port, scheme: "https", host: "localhost"))
        else {
            Issue.record("no error of TLS")
            return
        }
        #expect(reason.contains("CERTIFICATE_VERIFY_FAILED"))
        await server.accept().closed()
        #expect(await transport.openConnections() == 0)
    }

    @Test func `A certificate for somebody else is not accepted`() async throws {
        // Behind a proxy there is any name. This one's own address is not in the certificate either.
        let proxy = try await PlayedServer(host: "127.0.0.2")
        let rules = try ProxyRules(environment: ["https_proxy": "http://127.0.0.2:\(proxy.port)"])
        let transport = try Bench.transport { $0.proxies = rules }
        let call = Bench.call {
            try await transport.send(Bench.request(443, scheme: "https", host: "other.example")).status
        }
        let peer = await proxy.accept()
        await peer.request()
        try await peer.startTLS(after: "HTTP/1.1 200 OK\r\n\r\n")
        await #expect {
            try await call.value
        } throws: { error in
            if case TransportError.tls = error { true } else { false }
        }
    }

    @Test func `Who does not speak TLS fails the handshake`() async throws {
        let server = try await PlayedServer()
        let transport = try Bench.transport()
        let call = Bench.call { try await transport.send(Bench.request(server.port, scheme: "https")).status }
        let peer = await server.accept()
        await peer.wait { $0.total > 0 }
        try await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        await #expect {
            try await call.value
        } throws: { error in
            if case TransportError.tls = error { true } else { false }
        }
        await peer.closed()
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\nhello", true, true), ("HTTP/1.1 200 OK\r\n\r\nhello", false, false),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello", false, true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello", true, false),
    ])
    func `An answer over TLS that needs the end of its connection needs a goodbye`(
        _ answer: String, _ saysGoodbye: Bool, _ isWhole: Bool
    ) async throws {
        let (server, transport) = (try await PlayedServer(tls: true), try Bench.transport())
        let call = Bench.call { try await Bench.text(transport, Bench.request(server.port, scheme: "https")) }
        let peer = await server.accept()
        await peer.request()
        try await peer.send(answer)
        if saysGoodbye { await peer.close() } else { try? await peer.cut() }
        if isWhole {
            #expect(try await call.value == "hello")
        } else {
            await #expect(throws: TransportError.answerCut("the upstream closed the connection")) {
                try await call.value
            }
        }
    }

    // MARK: Outbound proxies

    private func proxied(_ server: PlayedServer, _ name: String, user: String = "") throws -> NIOTransport {
        let rules = try ProxyRules(environment: [name: "http://\(user)127.0.0.1:\(server.port)"])
        return try Bench.transport { $0.proxies = rules }
    }

    @Test func `Https goes through a tunnel, with the name and password of the proxy's URL`() async throws {
        let proxy = try await PlayedServer()
        let transport = try proxied(proxy, "HTTPS_PROXY", user: "us%65r:pa%3Ass@")
        let call = Bench.call {
            try await Bench.text(transport, Bench.request(8443, scheme: "https", host: "upstream.example", path: "/a"))
        }
        let peer = await proxy.accept()
        let request = await peer.request()
        #expect(request.hasPrefix("CONNECT upstream.example:8443 HTTP/1.1\r\n"))
        #expect(request.contains("host: upstream.example:8443\r\n"))
        #expect(request.contains("proxy-authorization: Basic dXNlcjpwYTpzcw==\r\n"))
        try await peer.startTLS(after: "HTTP/1.1 200 Connection established\r\n\r\n")
        let inner = await peer.request()
        #expect(inner.hasPrefix("GET /a HTTP/1.1\r\n"))
        #expect(!inner.contains("proxy-authorization"))
        try await peer.send(Self.whole)
        #expect(try await call.value == "hello")
    }

    @Test(arguments: [407, 403, 502])
    func `A proxy that refuses is named, without its password`(_ status: Int) async throws {
        let proxy = try await PlayedServer()
        let transport = try proxied(proxy, "https_proxy", user: "user:secret@")
        let call = Bench.call {
            try await transport.send(Bench.request(443, scheme: "https", host: "upstream.example")).status
        }
        let peer = await proxy.accept()
        await peer.request()
        try await peer.send("HTTP/1.1 \(status) No\r\ncontent-length: 3\r\n\r\nno!")
        do {
            _ = try await call.value
            Issue.record("it went through")
        } catch TransportError.cannotConnect(let reason) {
            #expect(
                reason.contains(
                    "the outbound proxy 127.0.0.1:\(proxy.port) refused a tunnel to upstream.example:443 with status \(status)"
                ))
            #expect(!reason.contains("secret"))
        }
        await peer.closed()
    }

    @Test func `A proxy that is not there is named as such`() async throws {
        let proxy = try await PlayedServer()
        try await proxy.stop()
        let error = await failure(
            try proxied(proxy, "https_proxy"), Bench.request(443, scheme: "https", host: "upstream.example"))
        #expect(reason(error) == "the outbound proxy 127.0.0.1:\(proxy.port): connection refused")
    }

    @Test func `Plain http is handed to a proxy with its whole URL`() async throws {
        let proxy = try await PlayedServer()
        let transport = try proxied(proxy, "http_proxy", user: "user:secret@")
        let call = Bench.call {
            try await Bench.text(transport, Bench.request(8080, host: "upstream.example", path: "/a?b"))
        }
        let peer = await proxy.accept()
        let request = await peer.request()
        #expect(request.hasPrefix("GET http://upstream.example:8080/a?b HTTP/1.1\r\n"))
        #expect(request.contains("host: upstream.example:8080\r\n"))
        #expect(request.contains("proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n"))
        try await peer.send(Self.whole)
        #expect(try await call.value == "hello")
    }
}
