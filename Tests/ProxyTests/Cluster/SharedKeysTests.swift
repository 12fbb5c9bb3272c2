import Logging
import ProxyAccounting
import ProxyCluster
import ProxyTestSupport
import Testing

@testable import Proxy

/// Keys that administrators make, from one instance to the other.
@Suite struct SharedKeysTests {
    private struct Instance {
        let news = KeyNews(ExchangeBell())
        let managed: ManagedKeys
        let keys: SharedKeys
        private(set) var board = NewsBoard()
        let name: String

        init(_ name: String, logger: LogBook = LogBook()) {
            self.name = name
            managed = ManagedKeys(accounts: KeyAccounts(), news: news)
            keys = SharedKeys(managed: managed, news: news, ledger: nil, logger: logger.logger)
        }

        /// All that is new here goes to the other.
        mutating func tell(_ other: inout Instance, at time: Int64) {
            for news in keys.told(EngineClock(now: .zero, time: time)) {
                _ = board.post(news, from: name, at: time)
                other.hear(news, from: name, at: time)
            }
        }

        mutating func hear(_ news: News, from origin: String, at time: Int64) {
            for change in board.apply(NewsText(origin: origin, news: news), at: time) {
                keys.hear(change, EngineClock(now: .zero, time: time))
            }
        }
    }

    private static func key(_ secret: String, name: String = "team") throws -> ManagedKey {
        var limits = KeyLimits()
        limits.requestsPerMinute = 60
        limits.models = ["^grok", "llama"]
        limits.expires = 1_900_000_000
        limits.hardBudgets = [try BudgetText.budget("10 USD per month")]
        var key = ManagedKey(
            name: name, digest: try #require(SHA256.digest(of: Array(secret.utf8))), prefix: "sk-ociai-ab",
            created: 1_790_000_000, limits: limits)
        key.former = [.init(digest: Array(repeating: 7, count: 32), until: 1_790_000_500)]
        return key
    }

    @Test func `A key says the same after its way as bytes`() throws {
        let key = try Self.key("a")
        #expect(ManagedKey(name: "team", record: key.record) == key)
        var revoked = key
        (revoked.revoked, revoked.former) = (1_790_000_100, [])
        #expect(ManagedKey(name: "team", record: revoked.record) == revoked)
        #expect(!String(decoding: key.record, as: UTF8.self).contains("secret"))
    }

    @Test(arguments: ["", "{}", "[]", #"{"digest":"AAAA","prefix":"p","created":1,"limits":{}}"#])
    func `What is no key is none`(record: String) {
        #expect(ManagedKey(name: "team", record: Array(record.utf8)) == nil)
    }

    @Test func `A key of a newer kind is told of, and not taken`() throws {
        let book = LogBook()
        var one = Instance("a", logger: book)
        one.hear(
            .key(News.KeyRecord(name: "team", created: 1, changed: 2, isRevoked: false, record: Array("{}".utf8))),
            from: "b", at: 5)
        #expect(one.managed.all.isEmpty)
        #expect(book.lines.map(\.level) == [.warning])
    }

    @Test func `One that is made, changed and revoked here is so there`() throws {
        var (here, there) = (Instance("a"), Instance("b"))
        var key = try Self.key("first")
        here.managed.put(key)
        here.tell(&there, at: 1_790_000_000_100)
        #expect(there.managed["team"] == key)
        key.digest = try #require(SHA256.digest(of: Array("second".utf8)))
        here.managed.put(key)
        here.tell(&there, at: 1_790_000_000_200)
        let digest = try #require(Digest32(key.digest))
        #expect(there.managed.caller(of: digest, at: 1_790_000_001)?.name == "team")
        key.revoked = 1_790_000_002
        here.managed.put(key)
        here.tell(&there, at: 1_790_000_000_300)
        #expect(there.managed.caller(of: digest, at: 1_790_000_003) == nil)
        #expect(there.keys.told(EngineClock(now: .zero, time: 1)).isEmpty, "it is not told back")
    }

    @Test func `After a restart the later state holds, whichever side has it`() throws {
        let old = try Self.key("old")
        var new = old
        new.digest = try #require(SHA256.digest(of: Array("new".utf8)))
        // Here it was changed at the 100th second, and the other one knows of the 50th.
        var (here, there) = (Instance("a"), Instance("b"))
        there.managed.put(old, changedAt: 1_790_000_050_000)
        here.managed.put(new, changedAt: 1_790_000_100_999)
        _ = here.keys.told(EngineClock(now: .zero, time: 1_790_000_200_000))
        there.tell(&here, at: 1_790_000_200_000)
        #expect(here.managed["team"]?.digest == new.digest)
        here.tell(&there, at: 1_790_000_200_100)
        #expect(there.managed["team"]?.digest == new.digest, "the other one is told what it does not know")
    }

    @Test func `Nothing makes a revoked key valid again`() throws {
        var (here, there) = (Instance("a"), Instance("b"))
        let key = try Self.key("x")
        var revoked = key
        revoked.revoked = 1_790_000_010
        here.managed.put(revoked, changedAt: 1_790_000_010_000)
        _ = here.keys.told(EngineClock(now: .zero, time: 1_790_000_010_000))
        there.managed.put(key, changedAt: 1_790_000_500_000)
        there.tell(&here, at: 1_790_000_500_000)
        #expect(here.managed["team"]?.revoked != nil)
    }
}
