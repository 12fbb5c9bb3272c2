import LedgerTestSupport
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct KeysRouteTests {
    private struct Bench {
        let time = ManualTime()
        let ledger = KeptLedger()
        let managed: ManagedKeys
        let door: FrontDoor

        init(hasLedger: Bool = true) throws {
            let accounts = KeyAccounts()
            managed = ManagedKeys(accounts: accounts)
            door = try FrontDoor.fixture(
                over: try Router.fixture(
                    FakeTransport(status: 500, body: "{}"), time: time.source, accounts: 1), time: time.source,
                ledger: hasLedger ? ledger : nil, keyAccounts: accounts, managedKeys: managed)
        }

        func create(_ body: String) async throws -> (status: Int, json: JSONValue?, text: String) {
            let answer = try await door.answer(.POST, "/admin/keys", body)
            return (answer.status, try? JSONDocument(parsing: Array(answer.body.utf8)).root, answer.body)
        }

        /// Whether a key opens the door.
        func works(_ key: String) async throws -> Bool {
            try await door.answer(.GET, "/v1/usage", key: key).status == 200
        }
    }

    @Test func `A key that is made works at once, and is never shown again`() async throws {
        let bench = try Bench()
        let made = try await bench.create(
            #"{"name":"bob","role":"viewer","rpm":5,"tpm":"90000","models":["^grok","^llama"],"budget_hard":["5 USD per day"],"expires":"2035-01-31"}"#
        )
        #expect(made.status == 201, "\(made.text)")
        let key = try #require(made.json?["key"]?.string)
        #expect(KeyText.isWellFormed(key))
        #expect(try await bench.works(key))
        #expect(try await bench.door.answer(.GET, "/metrics", key: key).status == 200)
        #expect(try await bench.door.answer(.POST, "/v1/reload", key: key).status == 403)
        let list = try await bench.door.answer(.GET, "/admin/keys").body
        let one = try await bench.door.answer(.GET, "/admin/keys/bob").body
        for text in [list, one] {
            #expect(!text.contains(key))
            #expect(text.contains(#""name":"bob","source":"managed","prefix":"\#(key.prefix(10))""#))
            #expect(text.contains(#""rpm":5,"tpm":90000"#))
            #expect(text.contains(#""budget_hard":["5 USD per day"]"#))
            #expect(text.contains(#""expires":"2035-01-31T00:00:00Z""#))
        }
        #expect(bench.ledger.actions == ["create bob default"])
        #expect(try await bench.ledger.keys().map(\.digest) == [SHA256.digest(of: Array(key.utf8))])
    }

    @Test func `A rotated key works on for its grace time`() async throws {
        let bench = try Bench()
        let first = try #require(try await bench.create(#"{"name":"bob"}"#).json?["key"]?.string)
        let rotated = try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"1h"}"#)
        #expect(rotated.status == 200)
        let second = try #require(try JSONDocument(parsing: Array(rotated.body.utf8)).root["key"]?.string)
        #expect(first != second)
        #expect(try await bench.works(first))
        #expect(try await bench.works(second))
        bench.time.advance(by: .seconds(3600))
        #expect(try await !bench.works(first))
        #expect(try await bench.works(second))
        // Without one, at once.
        let again = try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"0"}"#)
        #expect(again.status == 200)
        #expect(try await !bench.works(second))
        #expect(try await bench.ledger.keys().first?.former.isEmpty == true)
    }

    @Test func `Grace may be days, as other durations are`() async throws {
        let bench = try Bench()
        _ = try await bench.create(#"{"name":"bob"}"#)
        let rotated = try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"30d"}"#)
        #expect(rotated.status == 200, "\(rotated.body)")
        #expect(bench.managed["bob"]?.former.first?.until == bench.time.source.wallClock() + 30 * 86_400)
        for text in ["366d", "-1d", "d", "1x"] {
            let refused = try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"\#(text)"}"#)
            #expect(refused.status == 400)
            #expect(refused.body.contains("365d"))
        }
    }

    @Test func `A key that has expired is not rotated, as the new one would not work either`() async throws {
        let bench = try Bench()
        let key = try #require(
            try await bench.create(#"{"name":"bob","expires":"2035-01-31"}"#).json?["key"]?.string)
        bench.time.advance(by: .seconds(2 * 365 * 86_400))
        #expect(try await !bench.works(key))
        let refused = try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"0"}"#)
        #expect(refused.status == 409)
        #expect(refused.body.contains("expired at 2035-01-31T00:00:00Z"))
        #expect(bench.ledger.actions == ["create bob default"])
    }

    @Test func `What has been done to a key is told, and to all of them`() async throws {
        let bench = try Bench()
        for name in ["bob", "eve"] { _ = try await bench.create(#"{"name":"\#(name)"}"#) }
        _ = try await bench.door.answer(.DELETE, "/admin/keys/bob")
        let one = try await bench.door.answer(.GET, "/admin/keys/bob/history")
        #expect(one.status == 200)
        #expect(one.body.contains(#""key":"bob","action":"create","by":"default"}"#))
        #expect(one.body.contains(#""action":"revoke""#))
        #expect(!one.body.contains("eve"))
        #expect(try await bench.door.answer(.GET, "/admin/keys/*/history").body.contains("eve"))
        #expect(try await bench.door.answer(.GET, "/admin/keys/default/history").body.contains(#""data":[]"#))
        #expect(try await bench.door.answer(.GET, "/admin/keys/nobody/history").status == 404)
        #expect(try await bench.door.answer(.POST, "/admin/keys/bob/history").status == 405)
        #expect(try await Bench(hasLedger: false).door.answer(.GET, "/admin/keys/bob/history").status == 503)
    }

    @Test func `What a managed key lacks is told with how another one is made`() async throws {
        let bench = try Bench()
        let made = try await bench.create(#"{"name":"bob","rpm":1,"models":"^none$","expires":"2035-01-31"}"#)
        let key = try #require(made.json?["key"]?.string)
        let role = try await bench.door.answer(.GET, "/metrics", key: key)
        #expect(role.status == 403)
        #expect(role.body.contains("ociai-proxy key create NAME -role viewer"))
        let chat = #"{"model":"grok-4","messages":[{"role":"user","content":"hi"}]}"#
        let model = try await bench.door.answer(.POST, "/v1/chat/completions", chat, key: key)
        #expect(model.status == 403)
        #expect(model.body.contains("-models LIST"))
        let rate = try await bench.door.answer(.POST, "/v1/chat/completions", chat, key: key)
        #expect(rate.status == 429)
        #expect(rate.body.contains("-rpm N"))
        bench.time.advance(by: .seconds(2 * 365 * 86_400))
        let expired = try await bench.door.answer(.GET, "/v1/usage", key: key)
        #expect(expired.status == 401)
        #expect(expired.body.contains("-expires TIME"))
        for answer in [role, model, rate, expired] { #expect(!answer.body.contains("config file")) }
    }

    @Test func `A revoked key is refused from then on, and those before it`() async throws {
        let bench = try Bench()
        let first = try #require(try await bench.create(#"{"name":"bob"}"#).json?["key"]?.string)
        let rotated = try await bench.door.answer(.POST, "/admin/keys/bob/rotate")
        let second = try #require(try JSONDocument(parsing: Array(rotated.body.utf8)).root["key"]?.string)
        #expect(try await bench.door.answer(.DELETE, "/admin/keys/bob").status == 200)
        #expect(try await !bench.works(first))
        #expect(try await !bench.works(second))
        #expect(try await bench.door.answer(.POST, "/admin/keys/bob/rotate").status == 409)
        #expect(try await bench.create(#"{"name":"bob"}"#).status == 409)
        #expect(bench.ledger.actions == ["create bob default", "rotate bob default", "revoke bob default"])
    }

    @Test func `What cannot be written has not happened`() async throws {
        let bench = try Bench()
        let key = try #require(try await bench.create(#"{"name":"bob"}"#).json?["key"]?.string)
        bench.ledger.fill()
        #expect(try await bench.create(#"{"name":"eve"}"#).status == 503)
        #expect(try await bench.door.answer(.POST, "/admin/keys/bob/rotate", #"{"grace":"0"}"#).status == 503)
        #expect(try await bench.works(key))
        // But a key that has leaked is stopped, whatever the disk does.
        let refused = try await bench.door.answer(.DELETE, "/admin/keys/bob")
        #expect(refused.status == 503)
        #expect(refused.body.contains("refused from now on"))
        #expect(try await !bench.works(key))
        #expect(bench.managed.all.map(\.name) == ["bob"])
        #expect(try await Bench(hasLedger: false).create(#"{"name":"eve"}"#).status == 503)
    }

    @Test(arguments: [
        (#"{}"#, 400, "name"), (#"{"name":""}"#, 400, "name"), (#"{"name":"a b"}"#, 400, "name"),
        (#"{"name":"a/b"}"#, 400, "name"), (#"{"name":7}"#, 400, "name"), (#"[]"#, 400, "object"), (#"{"#, 400, ""),
        (#"{"name":"x","rpm":0}"#, 400, "rpm"), (#"{"name":"x","rpm":"many"}"#, 400, "rpm"),
        (#"{"name":"x","role":"boss"}"#, 400, "role"), (#"{"name":"x","models":["("]}"#, 400, "expression"),
        (#"{"name":"x","budget_hard":"5 EUR per day"}"#, 400, "budget_hard"),
        (#"{"name":"x","expires":"tomorrow"}"#, 400, "expires"), (#"{"name":"x","rmp":3}"#, 400, "rpm"),
        (#"{"name":"x","key":"mine"}"#, 400, "key"), (#"{"name":"default"}"#, 409, "default"),
    ])
    func `What cannot be made is refused with the member's name`(body: String, status: Int, word: String) async throws {
        let bench = try Bench()
        let refused = try await bench.create(body)
        #expect(refused.status == status, "\(refused.text)")
        #expect(refused.text.contains(word), "\(refused.text)")
        #expect(bench.managed.all.isEmpty)
        #expect(bench.ledger.actions.isEmpty)
    }

    @Test func `Keys of the file are changed in the file`() async throws {
        let bench = try Bench()
        #expect(try await bench.door.answer(.DELETE, "/admin/keys/default").status == 409)
        #expect(try await bench.door.answer(.DELETE, "/admin/keys/nobody").status == 404)
        #expect(try await bench.door.answer(.GET, "/admin/keys/default").body.contains(#""source":"file""#))
        #expect(try await bench.door.answer(.DELETE, "/admin/keys/nobody/rotate").status == 405)
    }

    @Test func `Keys that were written down work in the next process`() throws {
        let accounts = KeyAccounts()
        let managed = ManagedKeys(accounts: accounts)
        let secret = KeyText.make()
        let digest = try #require(SHA256.digest(of: Array(secret.utf8)))
        managed.put(ManagedKey(name: "bob", digest: digest, prefix: "oci-", created: 0, limits: KeyLimits()))
        let keys = ClientKeys([], accounts: accounts, managed: managed)
        guard case .holder(let caller) = keys.verdict(on: ["x-api-key": secret]) else {
            Issue.record("it does not")
            return
        }
        #expect(caller.name == "bob")
        #expect(caller.account === accounts.account(of: "bob"))
        // One letter less is not well formed, and another key is nobody's.
        if case .holder = keys.verdict(on: ["x-api-key": String(secret.dropLast())]) { Issue.record("too short") }
        if case .holder = keys.verdict(on: ["x-api-key": KeyText.make()]) { Issue.record("a stranger's") }
    }

    @Test func `What is kept for one managed key is nobody else's, whatever is reloaded`() {
        let seals = UnnamedSeals()
        let (before, after) = (ReasoningSeals([], others: seals), ReasoningSeals([], others: seals))
        #expect(before["alice"].owner == after["alice"].owner)
        #expect(before["alice"].owner != before["bob"].owner)
        #expect(before["alice"].owner != before[nil].owner)
        let sealed = before["alice"].seal(Array("thought".utf8)[...])
        #expect(after["alice"].open(Array(sealed.utf8)[...]) == Array("thought".utf8))
        #expect(after["bob"].open(Array(sealed.utf8)[...]) == nil)
    }

    @Test func `Models of a managed key that cannot be read allow none`() {
        #expect(!ModelFilter(["("]).admits("grok-4"))
        #expect(ModelFilter([]).admits("grok-4"))
    }
}
