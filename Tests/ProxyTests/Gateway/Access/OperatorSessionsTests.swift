import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Signing in at the dashboard, and what its cookie opens.
@Suite struct OperatorSessionsTests {
    private struct Bench {
        let time = ManualTime()
        let managed: ManagedKeys
        let door: FrontDoor

        init() throws {
            let accounts = KeyAccounts()
            managed = ManagedKeys(accounts: accounts)
            let keys = KeyRole.allCases.map { role in
                var limits = KeyLimits()
                limits.role = role
                return ClientKey(name: role.rawValue, value: Secret("key-of-the-\(role.rawValue)"), limits: limits)
            }
            door = try FrontDoor.fixture(
                over: try Router.fixture(time: time.source), time: time.source, keys: keys, ledger: KeptLedger(),
                keyAccounts: accounts, managedKeys: managed)
        }

        /// A request without a key, from another machine's user: the local rule does not hold.
        func ask(_ method: HTTPMethod, _ path: String, _ body: String = "", _ headers: HTTPHeaders = [:]) async throws
            -> (status: Int, headers: HTTPHeaders, body: String)
        {
            var headers = headers
            headers.add(name: "host", value: "proxy.example")
            return try await door.keylessAnswer(method, path, body, headers: headers)
        }

        func signIn(_ key: String) async throws -> (status: Int, cookie: String?) {
            let answer = try await ask(.POST, "/dashboard/login", #"{"key":"\#(key)"}"#)
            let cookie = answer.headers["set-cookie"].first?.split(separator: ";").first.map(String.init)
            return (answer.status, cookie)
        }
    }

    @Test func `A viewer's key is shown once, and its cookie opens what viewers may see`() async throws {
        let bench = try Bench()
        let answer = try await bench.ask(.POST, "/dashboard/login", #"{"key":"key-of-the-viewer"}"#)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.body.contains(#""role":"viewer","name":"viewer","local":false"#))
        let field = try #require(answer.headers["set-cookie"].first)
        #expect(field.hasPrefix("ociai=") && field.contains("; HttpOnly; SameSite=Strict"))
        #expect(field.contains("Max-Age=43200") && field.contains("Path=/") && !field.contains("Secure"))
        let cookie = String(field.prefix { $0 != ";" })
        for path in ["/dashboard/state", "/dashboard/session", "/stats/accounts", "/metrics", "/dashboard/strips"] {
            #expect(try await bench.ask(.GET, path, "", ["cookie": "other=1; \(cookie)"]).status == 200, "\(path)")
            #expect(try await bench.ask(.GET, path).status == 401, "\(path) without the cookie")
            #expect(try await bench.ask(.GET, path, "", ["cookie": cookie + "0"]).status == 401)
        }
        let change = try await bench.ask(
            .POST, "/admin/circuit-breaker/reset", "", ["cookie": cookie, "x-ociai-dashboard": "1"])
        #expect(change.status == 403 && change.body.contains("permission_denied"))
        #expect(try await bench.ask(.GET, "/admin/keys", "", ["cookie": cookie]).status == 403)
    }

    @Test func `What changes something needs the header that no foreign page can send`() async throws {
        let bench = try Bench()
        let cookie = try #require(try await bench.signIn("key-of-the-admin").cookie)
        let reset = "/admin/circuit-breaker/reset"
        #expect(try await bench.ask(.POST, reset, "", ["cookie": cookie]).status == 403)
        #expect(try await bench.ask(.POST, reset, "", ["cookie": cookie, "x-ociai-dashboard": "yes"]).status == 403)
        let foreign: [HTTPHeaders] = [
            ["origin": "https://evil.example"], ["origin": "http://proxy.example:3000"],
            ["sec-fetch-site": "cross-site"], ["sec-fetch-site": "same-site"],
        ]
        for headers in foreign {
            var headers = headers
            headers.add(contentsOf: ["cookie": cookie, "x-ociai-dashboard": "1"])
            #expect(try await bench.ask(.POST, reset, "", headers).status == 403, "\(headers)")
        }
        let own: HTTPHeaders = [
            "cookie": cookie, "x-ociai-dashboard": "1", "origin": "http://proxy.example",
            "sec-fetch-site": "same-origin",
        ]
        #expect(try await bench.ask(.POST, reset, "", own).status == 200)
        #expect(try await bench.ask(.GET, "/admin/keys", "", ["cookie": cookie]).status == 200)
    }

    @Test func `A preflight never allows that header`() async throws {
        let bench = try Bench()
        let answer = try await bench.ask(
            .OPTIONS, "/admin/circuit-breaker/reset", "",
            [
                "origin": "https://evil.example", "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, X-Ociai-Dashboard,authorization",
            ])
        let allowed = answer.headers["access-control-allow-headers"].joined().lowercased()
        #expect(allowed.contains("content-type") && allowed.contains("authorization"))
        #expect(!allowed.contains("ociai-dashboard"))
        #expect(!answer.headers.contains(name: "access-control-allow-credentials"))
    }

    @Test(arguments: [
        ("key-of-the-client", 403), ("nobody's", 401), ("", 400), ("  key-of-the-viewer ", 200),
    ])
    func `Others are not let in`(key: String, status: Int) async throws {
        let answer = try await Bench().signIn(key)
        #expect(answer.status == status)
        #expect((answer.cookie != nil) == (status == 200))
    }

    @Test(arguments: ["", "[]", "{", #"{"key":5}"#, #"{"key":null}"#])
    func `What is no sign-in is said to be none`(body: String) async throws {
        let answer = try await Bench().ask(.POST, "/dashboard/login", body)
        #expect(answer.status == 400)
        #expect(!answer.headers.contains(name: "set-cookie"))
    }

    @Test func `A foreign page signs nobody in`() async throws {
        let answer = try await Bench().ask(
            .POST, "/dashboard/login", #"{"key":"key-of-the-admin"}"#, ["origin": "https://evil.example"])
        #expect(answer.status == 403)
    }

    @Test func `Twelve hours later, or behind signing out, the cookie opens nothing`() async throws {
        let bench = try Bench()
        let cookie = try #require(try await bench.signIn("key-of-the-viewer").cookie)
        bench.time.advance(by: .seconds(12 * 3600 - 1))
        #expect(try await bench.ask(.GET, "/dashboard/state", "", ["cookie": cookie]).status == 200)
        bench.time.advance(by: .seconds(1))
        #expect(try await bench.ask(.GET, "/dashboard/state", "", ["cookie": cookie]).status == 401)

        let next = try #require(try await bench.signIn("key-of-the-viewer").cookie)
        #expect(try await bench.ask(.DELETE, "/dashboard/login", "", ["cookie": next]).status == 403)
        let answer = try await bench.ask(
            .DELETE, "/dashboard/login", "", ["cookie": next, "x-ociai-dashboard": "1"])
        #expect(answer.status == 204)
        #expect(answer.headers["set-cookie"].first?.contains("Max-Age=0") == true)
        #expect(try await bench.ask(.GET, "/dashboard/state", "", ["cookie": next]).status == 401)
    }

    @Test func `A session ends with its key`() async throws {
        let bench = try Bench()
        let made = try await bench.door.answer(
            .POST, "/admin/keys", #"{"name":"bob","role":"viewer"}"#, key: "key-of-the-admin")
        let key = try #require(try JSONDocument(parsing: Array(made.body.utf8)).root["key"]?.string)
        let cookie = try #require(try await bench.signIn(key).cookie)
        #expect(try await bench.ask(.GET, "/dashboard/state", "", ["cookie": cookie]).status == 200)
        _ = try await bench.door.answer(.DELETE, "/admin/keys/bob", key: "key-of-the-admin")
        #expect(try await bench.ask(.GET, "/dashboard/state", "", ["cookie": cookie]).status == 401)
    }

    @Test func `A key in a header goes before the cookie`() async throws {
        let bench = try Bench()
        let cookie = try #require(try await bench.signIn("key-of-the-admin").cookie)
        #expect(
            try await bench.ask(.GET, "/dashboard/state", "", ["cookie": cookie, "x-api-key": "wrong"]).status == 401)
        #expect(
            try await bench.ask(.GET, "/admin/keys", "", ["cookie": cookie, "x-api-key": "key-of-the-viewer"]).status
                == 403)
    }

    @Test func `Over TLS the cookie is bound to the host and to TLS`() {
        let cookie = OperatorSessions.cookie("t", isEncrypted: true)
        #expect(cookie.hasPrefix("__Host-ociai=t; Path=/") && cookie.hasSuffix("; Secure"))
        #expect(!cookie.contains("Domain"))
    }

    @Test func `Neither the token nor the key is kept`() throws {
        let sessions = OperatorSessions(random: { 0x0123_4567_89AB_CDEF })
        let digest = try #require(Digest32(of: "the key"))
        let token = try #require(sessions.open(for: digest, at: 0))
        #expect(token.utf8.count == 64)
        var text = ""
        dump(sessions, to: &text)
        #expect(!text.contains(token) && !text.contains("the key"))
    }

    // MARK: The table

    @Test func `The table is bounded, and the oldest sessions end`() throws {
        var table = SessionTable()
        func digest(_ number: Int) throws -> Digest32 { try #require(Digest32(of: "\(number)"[...])) }
        func session(_ number: Int, key: Int) throws -> SessionTable.Session {
            SessionTable.Session(key: try digest(-key), until: 1000 + Int64(number))
        }
        for number in 0..<1500 { table.open(try digest(number), try session(number, key: 1 + number / 10), at: 0) }
        #expect(table.count == SessionTable.capacity)
        #expect(table.session(try digest(499), at: 0) == nil)
        #expect(table.session(try digest(500), at: 0)?.until == 1500)
        #expect(table.session(try digest(500), at: 1500) == nil, "it is over")
        // Those that are over make room first.
        table.open(try digest(2000), try session(8000, key: 1), at: 2400)
        #expect(table.count == 100)
    }

    @Test func `Who signs in again and again ends sessions of that key alone`() throws {
        var table = SessionTable()
        let (own, other) = (try #require(Digest32(of: "own")), try #require(Digest32(of: "other")))
        let first = try #require(Digest32(of: "first"))
        table.open(first, SessionTable.Session(key: other, until: 100), at: 0)
        for number in 0..<5000 {
            let digest = try #require(Digest32(of: "\(number)"[...]))
            table.open(digest, SessionTable.Session(key: own, until: 200 + Int64(number)), at: 0)
        }
        #expect(table.count == 1 + SessionTable.capacityOfKey && table.session(first, at: 0) != nil)
        let last = try #require(Digest32(of: "4999"))
        #expect(table.session(last, at: 0) != nil)
    }

    // MARK: What a cookie is good for

    private func head(_ cookie: String) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .GET, uri: "/dashboard/state", headers: ["cookie": cookie])
    }

    @Test func `A session that was begun over TLS holds with the name that no plain page can set`() throws {
        let bench = try Bench()
        let keys = bench.door.keys
        let sessions = OperatorSessions()
        let viewer = try #require(Digest32(of: "key-of-the-viewer"))
        let admin = try #require(Digest32(of: "key-of-the-admin"))
        let safe = try #require(sessions.open(for: admin, isEncrypted: true, at: 0))
        let plain = try #require(sessions.open(for: viewer, at: 0))
        func name(_ cookie: String) -> String? { sessions.caller(of: head(cookie), by: keys, at: 1)?.name }
        #expect(name("__Host-ociai=\(safe)") == "admin" && name("ociai=\(plain)") == "viewer")
        #expect(name("ociai=\(safe)") == nil && name("__Host-ociai=\(plain)") == nil)
        // However many others there are.
        let others = (0..<100).map { "c\($0)=\(String(repeating: "0", count: 64))" }.joined(separator: "; ")
        #expect(name("\(others); ociai=\(plain)") == "viewer")
    }

    @Test func `A session does not come back with its key`() throws {
        let bench = try Bench()
        let sessions = OperatorSessions()
        let key = try #require(Digest32(of: "key-of-the-viewer"))
        let token = try #require(sessions.open(for: key, at: 0))
        let without = ClientKeys([.fixture])
        let cookie = head("ociai=\(token)")
        #expect(sessions.caller(of: cookie, by: bench.door.keys, at: 1) != nil)
        sessions.keep(by: without, at: 1)
        #expect(sessions.caller(of: cookie, by: bench.door.keys, at: 1) == nil)
        // The same when it is the cookie that shows it.
        let next = head("ociai=\(try #require(sessions.open(for: key, at: 0)))")
        #expect(sessions.caller(of: next, by: without, at: 1) == nil)
        #expect(sessions.caller(of: next, by: bench.door.keys, at: 1) == nil)
    }
}
