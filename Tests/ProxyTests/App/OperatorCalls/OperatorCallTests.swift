import Testing

@testable import Proxy

@Suite struct OperatorCallTests {
    private func told(_ call: OperatorCall) -> String {
        "\(call.method.rawValue) \(call.target) \(String(decoding: call.body, as: UTF8.self))"
    }

    @Test func `Each command is a request to an endpoint`() {
        #expect(told(.keys) == "GET /admin/keys ")
        #expect(
            told(.createKey("a", [("rpm", "60"), ("tpm", nil), ("models", "^x,y")]))
                == #"POST /admin/keys {"name":"a","rpm":"60","models":"^x,y"}"#)
        #expect(told(.rotateKey("a", grace: nil)) == "POST /admin/keys/a/rotate {}")
        #expect(told(.rotateKey("a", grace: "1h")) == #"POST /admin/keys/a/rotate {"grace":"1h"}"#)
        #expect(told(.revokeKey("a")) == "DELETE /admin/keys/a ")
        #expect(told(.table("keys", from: nil, to: nil, key: nil)) == "GET /admin/ledger/keys ")
        #expect(
            told(.table("days", from: "2026-01-01T00:00:00+01:00", to: "x", key: "a b"))
                == "GET /admin/ledger/days?from=2026-01-01T00%3A00%3A00%2B01%3A00&to=x&key=a%20b ")
        #expect(
            told(.export(from: nil, to: "2026-02-01", format: "csv", level: nil))
                == "GET /admin/ledger/export?to=2026-02-01&format=csv ")
        #expect(told(.reprice(since: "2026-01-01")) == #"POST /admin/ledger/reprice {"since":"2026-01-01"}"#)
    }

    @Test(arguments: ["a/b", "a/rotate", "../ledger/summary", "a?x=1", "é", "%2F", "a\u{0}b", "\r\nx: y"])
    func `A name cannot lead to another endpoint`(name: String) {
        for call in [OperatorCall.revokeKey(name), .rotateKey(name, grace: nil)] {
            let match = RequestTarget(call.target)
            #expect(match?.segments.prefix(2) == ["admin", "keys"])
            #expect(match?.segments[2].split(separator: "?").first.map(String.init)?.removingPercentEncoding == name)
        }
    }

    @Test func `Who changes a key waits for the answer`() {
        #expect(OperatorCall.createKey("a", []).changesKeys)
        #expect(OperatorCall.rotateKey("a", grace: nil).changesKeys)
        #expect(OperatorCall.revokeKey("a").changesKeys)
        #expect(!OperatorCall.keys.changesKeys)
        #expect(!OperatorCall.reprice(since: "x").changesKeys)
    }
}

@Suite struct OperatorAddressTests {
    private func address(_ host: String, _ port: Int, isTLS: Bool = false, admin: String? = nil) -> String? {
        var server = ServerSettings()
        (server.host, server.port) = (host, port)
        if isTLS { server.tlsCertificate = "/x/cert.pem" }
        server.admin = admin.flatMap { AdminAddress($0) }
        return OperatorAddress(server)?.description
    }

    @Test func `The operator's address goes before that of clients`() {
        #expect(address("127.0.0.1", 8080) == "http://127.0.0.1:8080")
        #expect(address("127.0.0.1", 8080, admin: "9090") == "http://127.0.0.1:9090")
        #expect(address("127.0.0.1", 8080, admin: "unix:/run/x.sock") == "unix:/run/x.sock")
    }

    @Test func `Who listens everywhere is asked on this machine`() {
        #expect(address("0.0.0.0", 80) == "http://127.0.0.1:80")
        #expect(address("::", 80) == "http://[::1]:80")
        #expect(address("192.0.2.7", 80) == "http://192.0.2.7:80")
        #expect(address("localhost", 80) == "http://localhost:80")
    }

    @Test func `TLS is spoken where the proxy does`() {
        #expect(address("127.0.0.1", 443, isTLS: true) == "https://127.0.0.1:443")
        #expect(address("127.0.0.1", 443, isTLS: true, admin: "127.0.0.1:9090") == "http://127.0.0.1:9090")
        #expect(address("127.0.0.1", 443, isTLS: true, admin: "192.0.2.7:9090") == "https://192.0.2.7:9090")
    }

    @Test func `Any free port is no address`() {
        #expect(address("127.0.0.1", 0) == nil)
        #expect(address("127.0.0.1", 8080, admin: "127.0.0.1:0") == nil)
        #expect(address("127.0.0.1", 0, admin: "unix:/x") == "unix:/x")
    }
}
