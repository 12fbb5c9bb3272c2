import NIOCore
import NIOHTTP1
import Testing

@testable import Proxy

@Suite struct LocalAccessTests {
    private static func access(enabled: Bool = true, owner: UInt32? = 1000) -> LocalAccess {
        LocalAccess(isEnabled: enabled, ownUser: 1000, socketOwner: { _ in owner })
    }

    private static func peer(_ address: String = "127.0.0.1") throws -> ClientRequest.Peer {
        ClientRequest.Peer(remote: try SocketAddress(ipAddress: address, port: 40000), local: try SocketAddress(ipAddress: address, port: 8080))
    }

    private static func head(_ headers: HTTPHeaders = [:], host: String? = "localhost:8080", version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        var headers = headers
        if let host { headers.add(name: "host", value: host) }
        return HTTPRequestHead(version: version, method: .GET, uri: "/stats/accounts", headers: headers)
    }

    @Test(arguments: ["localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:8080"])
    func theOperatorPasses(host: String) throws {
        #expect(Self.access().objection(to: Self.head(host: host), from: try Self.peer()) == nil)
    }

    @Test(arguments: ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    func everyLoopbackAddressIsTheMachineItself(address: String) throws {
        #expect(Self.access().objection(to: Self.head(), from: try Self.peer(address)) == nil)
    }

    @Test(arguments: ["192.168.1.5", "8.8.8.8", "fe80::1", "::ffff:8.8.8.8", "128.0.0.1"])
    func otherMachinesDoNotPass(address: String) throws {
        #expect(Self.access().objection(to: Self.head(), from: try Self.peer(address)) != nil)
    }

    @Test(arguments: ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "localhost:", "localhost:80x", "[::1", "example.com:8080", ""])
    func aReboundNameDoesNotPass(host: String) throws {
        #expect(Self.access().objection(to: Self.head(host: host), from: try Self.peer()) != nil)
    }

    @Test(arguments: [
        ("x-forwarded-for", "127.0.0.1"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 nginx"), ("X-Real-IP", "127.0.0.1"),
        ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "http://localhost.evil.example"), ("Sec-Fetch-Site", "cross-site"),
    ])
    func traitsOfSomebodyElseDoNotPass(name: String, value: String) throws {
        #expect(Self.access().objection(to: Self.head([name: value]), from: try Self.peer()) != nil)
    }

    @Test(arguments: [("Origin", "http://localhost:3000"), ("Origin", "http://127.0.0.1"), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")])
    func aPageOfTheMachineItselfPasses(name: String, value: String) throws {
        #expect(Self.access().objection(to: Self.head([name: value]), from: try Self.peer()) == nil)
    }

    @Test func anOldProtocolDoesNotPass() throws {
        #expect(Self.access().objection(to: Self.head(version: .http1_0), from: try Self.peer()) != nil)
    }

    @Test func rootPassesAndOtherUsersDoNot() throws {
        #expect(Self.access(owner: 0).objection(to: Self.head(), from: try Self.peer()) == nil)
        #expect(Self.access(owner: 33).objection(to: Self.head(), from: try Self.peer()) != nil)
        #expect(Self.access(owner: nil).objection(to: Self.head(), from: try Self.peer()) != nil)
    }

    @Test func nobodyPassesWhenItIsSwitchedOff() throws {
        #expect(Self.access(enabled: false).objection(to: Self.head(), from: try Self.peer()) == "local_access is switched off")
    }

    @Test func theKernelsTableTellsTheOwner() throws {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
               1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
               2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1
               3: 0A00007F:9C40 0A00000A:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 2 1 0 20 4 30 10 -1
            """
        let proxy = try SocketAddress(ipAddress: "127.0.0.1", port: 8080)
        let client = try SocketAddress(ipAddress: "127.0.0.1", port: 40000)
        #expect(SocketOwner.find(in: table, peer: client, own: proxy) == 1001)
        #expect(SocketOwner.find(in: table, peer: proxy, own: client) == 1000)
        #expect(SocketOwner.find(in: table, peer: try SocketAddress(ipAddress: "127.0.0.1", port: 40001), own: proxy) == nil)
        // The same client as an IPv6 listener sees it.
        let mapped = (try SocketAddress(ipAddress: "::ffff:127.0.0.1", port: 40000), try SocketAddress(ipAddress: "::ffff:127.0.0.1", port: 8080))
        #expect(SocketOwner.find(in: table, peer: mapped.0, own: mapped.1) == 1001)
    }

    @Test func theSamePortsAtAnotherLoopbackAddressAreAnotherConnection() throws {
        // The first row is the operator's, or what is left of a connection that another user closed: there the kernel writes 0.
        for owner in [("01", 1000), ("06", 0)] {
            let table = """
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   0: 0100007F:9C40 0100007F:1F90 \(owner.0) 00000000:00000000 00:00000000 00000000  \(owner.1)        0 2 1 0 20 4 30 10 -1
                   1: 0200007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
                """
            let peer = try SocketAddress(ipAddress: "127.0.0.2", port: 40000)
            #expect(SocketOwner.find(in: table, peer: peer, own: try SocketAddress(ipAddress: "127.0.0.1", port: 8080)) == 1001)
        }
    }

    @Test func aClosedSocketIsNobodys() throws {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:9C40 0100007F:1F90 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
            """
        let peer = try SocketAddress(ipAddress: "127.0.0.1", port: 40000)
        #expect(SocketOwner.find(in: table, peer: peer, own: try SocketAddress(ipAddress: "127.0.0.1", port: 8080)) == nil)
    }

    @Test func theKernelsTableOfIPv6TellsTheOwner() throws {
        let table = """
              sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 1 1 0 100 0 0 10 0
               1: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1004        0 1 1 0 100 0 0 10 0
            """
        let six = (try SocketAddress(ipAddress: "::1", port: 40000), try SocketAddress(ipAddress: "::1", port: 8080))
        #expect(SocketOwner.find(in: table, peer: six.0, own: six.1) == 1003)
        let four = (try SocketAddress(ipAddress: "127.0.0.1", port: 40001), try SocketAddress(ipAddress: "127.0.0.1", port: 8080))
        #expect(SocketOwner.find(in: table, peer: four.0, own: four.1) == 1004)
    }
}
