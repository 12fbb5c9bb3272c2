import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import Proxy

@Suite struct LocalAccessTests {
    private static func access(enabled: Bool = true, owner: UInt32? = 1000) -> LocalAccess {
        LocalAccess(isEnabled: enabled, ownUser: 1000, socketOwner: { _ in owner })
    }

    private static func peer(_ address: String = "127.0.0.1") throws -> ClientPeer {
        ClientPeer(
            remote: try SocketAddress(ipAddress: address, port: 40000),
            local: try SocketAddress(ipAddress: address, port: 8080))
    }

    private static func head(
        _ headers: HTTPHeaders = [:], host: String? = "localhost:8080", version: HTTPVersion = .http1_1
    ) -> HTTPRequestHead {
        var headers = headers
        if let host { headers.add(name: "host", value: host) }
        return HTTPRequestHead(version: version, method: .GET, uri: "/stats/accounts", headers: headers)
    }

    @Test(arguments: ["localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:8080"])
    func `The operator passes`(host: String) async throws {
        #expect(await Self.access().objection(to: Self.head(host: host), from: try Self.peer()) == nil)
    }

    @Test(arguments: ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    func `Every loopback address is the machine itself`(address: String) async throws {
        #expect(await Self.access().objection(to: Self.head(), from: try Self.peer(address)) == nil)
    }

    @Test(arguments: ["192.168.1.5", "8.8.8.8", "fe80::1", "::ffff:8.8.8.8", "128.0.0.1"])
    func `Other machines do not pass`(address: String) async throws {
        #expect(await Self.access().objection(to: Self.head(), from: try Self.peer(address)) != nil)
    }

    @Test(arguments: [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "localhost:",
        "localhost:80x", "[::1", "example.com:8080", "",
    ])
    func `A rebound name does not pass`(host: String) async throws {
        #expect(await Self.access().objection(to: Self.head(host: host), from: try Self.peer()) != nil)
    }

    @Test(arguments: [
        ("x-forwarded-for", "127.0.0.1"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 nginx"), ("X-Real-IP", "127.0.0.1"),
        ("X-Forwarded", "1"), ("CF-Connecting-IP", "1.2.3.4"), ("True-Client-IP", "1.2.3.4"),
        ("X-Client-IP", "1.2.3.4"),
        ("X-Original-Forwarded-For", "1.2.3.4"), ("X-Envoy-External-Address", "1.2.3.4"), ("Fly-Client-IP", "1.2.3.4"),
        ("CDN-Loop", "cloudflare"),
        ("Tailscale-User-Login", "a@b"), ("Proxy-Connection", "keep-alive"), ("X-Anything-At-All", "1"),
        ("traceparent", "00-1-1-01"),
        ("Authorization", "Basic dTpw"), ("Authorization", "Negotiate x"), ("x-api-key", ""),
        ("Connection", "x-forwarded-for"), ("Connection", "upgrade"),
        ("Referer", "https://evil.example/"), ("Referer", "http://localhost@evil.example/"), ("Sec-Fetch-Site", "else"),
        ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "http://localhost.evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ])
    func `Traits of somebody else do not pass`(name: String, value: String) async throws {
        #expect(await Self.access().objection(to: Self.head([name: value]), from: try Self.peer()) != nil)
    }

    @Test(arguments: [
        ("Origin", "http://localhost:3000"), ("Origin", "http://127.0.0.1"), ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "cors"),
    ])
    func `A page of the machine itself passes`(name: String, value: String) async throws {
        #expect(await Self.access().objection(to: Self.head([name: value]), from: try Self.peer()) == nil)
    }

    @Test func `An old protocol does not pass`() async throws {
        #expect(await Self.access().objection(to: Self.head(version: .http1_0), from: try Self.peer()) != nil)
    }

    @Test func `Root passes and other users do not`() async throws {
        #expect(await Self.access(owner: 0).objection(to: Self.head(), from: try Self.peer()) == nil)
        #expect(await Self.access(owner: 33).objection(to: Self.head(), from: try Self.peer()) != nil)
        #expect(await Self.access(owner: nil).objection(to: Self.head(), from: try Self.peer()) != nil)
    }

    @Test func `Nobody passes when it is switched off`() async throws {
        #expect(
            await Self.access(enabled: false).objection(to: Self.head(), from: try Self.peer())
                == "local_access is off")
    }

    @Test(arguments: [
        ("Accept", "*/*"), ("Accept-Encoding", "gzip"), ("User-Agent", "curl/8"), ("Content-Type", "application/json"),
        ("Connection", "Keep-Alive"),
        ("Cookie", "a=b"), ("Cache-Control", "no-cache"), ("Sec-CH-UA-Platform", "Linux"),
        ("Referer", "http://localhost:8080/stats/accounts?x"),
        ("X-Request-ID", "abc"), ("Sec-Fetch-Site", "none"), ("Upgrade-Insecure-Requests", "1"), ("Priority", "u=0, i"),
    ])
    func `What curl and browsers send passes`(name: String, value: String) async throws {
        #expect(await Self.access().objection(to: Self.head([name: value]), from: try Self.peer()) == nil)
    }

    @Test func `Every one of several fields is looked at`() async throws {
        for (name, good, bad) in [
            ("Origin", "http://localhost", "https://evil.example"), ("Sec-Fetch-Site", "same-origin", "cross-site"),
            ("Host", "localhost", "localhost"),
        ] {
            var head = Self.head([name: good])
            head.headers.add(name: name, value: bad)
            #expect(await Self.access().objection(to: head, from: try Self.peer()) != nil)
        }
    }

    @Test(arguments: [
        ("http://evil.com/stats/accounts", false), ("http://localhost:8080/stats/accounts", true),
        ("https://127.0.0.1/stats/accounts", true),
        ("http://localhost@evil.com/", false), ("http://evil.com#@localhost/", false),
        ("http://evil.com\\@localhost/", false), ("ftp://localhost/", false),
        ("HTTP://LOCALHOST/stats/accounts", true), ("http:///stats", false),
    ])
    func `A target with a host is for that host`(target: String, passes: Bool) async throws {
        var head = Self.head()
        head.uri = target
        #expect((await Self.access().objection(to: head, from: try Self.peer()) == nil) == passes)
    }

    @Test func `The owner is looked up once a connection`() async throws {
        let looks = Mutex(0)
        let access = LocalAccess(isEnabled: true, ownUser: 1000) { _ in
            looks.withLock { $0 += 1 }
            return 33
        }
        let peer = try Self.peer()
        for _ in 0..<100 {
            #expect(
                await access.objection(to: Self.head(), from: peer) == "it was sent by another user of this machine")
        }
        #expect(looks.withLock { $0 } == 1)
        // Who is refused for what the head says is not looked up at all.
        let other = try Self.peer()
        #expect(await access.objection(to: Self.head(["via": "1.1 x"]), from: other) != nil)
        #expect(looks.withLock { $0 } == 1)
    }

    private func find(_ table: String, _ peer: SocketAddress, _ own: SocketAddress) -> UInt32? {
        SocketTable.owner(
            of: SocketOwner.withoutMapping(peer), connectedTo: SocketOwner.withoutMapping(own), in: Array(table.utf8))
    }

    @Test func `The kernels table tells the owner`() throws {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
               1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
               2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1
               3: 0A00007F:9C40 0A00000A:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 2 1 0 20 4 30 10 -1
            """
        let proxy = try SocketAddress(ipAddress: "127.0.0.1", port: 8080)
        let client = try SocketAddress(ipAddress: "127.0.0.1", port: 40000)
        #expect(find(table, client, proxy) == 1001)
        #expect(find(table, proxy, client) == 1000)
        #expect(find(table, try SocketAddress(ipAddress: "127.0.0.1", port: 40001), proxy) == nil)
        // The same client as an IPv6 listener sees it.
        let mapped = (
            try SocketAddress(ipAddress: "::ffff:127.0.0.1", port: 40000),
            try SocketAddress(ipAddress: "::ffff:127.0.0.1", port: 8080)
        )
        #expect(find(table, mapped.0, mapped.1) == 1001)
    }

    @Test func `The same ports at another loopback address are another connection`() throws {
        // The first row is the operator's, or what is left of a connection that another user closed: there the kernel writes 0.
        for owner in [("01", 1000), ("06", 0)] {
            let table = """
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   0: 0100007F:9C40 0100007F:1F90 \(owner.0) 00000000:00000000 00:00000000 00000000  \(owner.1)        0 2 1 0 20 4 30 10 -1
                   1: 0200007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
                """
            let peer = try SocketAddress(ipAddress: "127.0.0.2", port: 40000)
            #expect(find(table, peer, try SocketAddress(ipAddress: "127.0.0.1", port: 8080)) == 1001)
        }
    }

    @Test func `A closed socket is nobody's`() throws {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:9C40 0100007F:1F90 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
            """
        let peer = try SocketAddress(ipAddress: "127.0.0.1", port: 40000)
        #expect(find(table, peer, try SocketAddress(ipAddress: "127.0.0.1", port: 8080)) == nil)
    }

    @Test func `The kernels table of IPv6 tells the owner`() throws {
        let table = """
              sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 1 1 0 100 0 0 10 0
               1: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1004        0 1 1 0 100 0 0 10 0
            """
        let six = (try SocketAddress(ipAddress: "::1", port: 40000), try SocketAddress(ipAddress: "::1", port: 8080))
        #expect(find(table, six.0, six.1) == 1003)
        let four = (
            try SocketAddress(ipAddress: "127.0.0.1", port: 40001),
            try SocketAddress(ipAddress: "127.0.0.1", port: 8080)
        )
        #expect(find(table, four.0, four.1) == 1004)
    }

    /// Another user's server, or one with a hole in it, must not make keys by the operator's browser.
    @Test(arguments: [
        ("origin", "http://localhost:3000", false), ("origin", "http://localhost:8080", true),
        ("origin", "http://127.0.0.1:8080", false), ("sec-fetch-site", "same-site", false),
        ("sec-fetch-site", "same-origin", true), ("sec-fetch-site", "none", true), ("accept", "*/*", true),
    ])
    func `What changes something takes no page of another port`(name: String, value: String, isTaken: Bool) async throws
    {
        let access = LocalAccess(isEnabled: true, ownUser: 1000, socketOwner: { _ in 1000 })
        let head = HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/admin/keys", headers: ["host": "localhost:8080", name: value])
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 4000)
        let peer = ClientPeer(remote: address, local: address)
        #expect(await (access.objection(to: head, from: peer, changes: true) == nil) == isTaken)
        #expect(await access.objection(to: head, from: peer) == nil)
    }
}
