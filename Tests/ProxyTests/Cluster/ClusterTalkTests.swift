import Logging
import ProxyCluster
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

/// What an instance says to an engine, and what becomes of the answers.
@Suite struct ClusterTalkTests {
    /// Objects of a test's own, and what came of them.
    private final class Limits: SharedLimits {
        let limit: Int
        let leases = Mutex<[PermitLease]>([])
        init(_ limit: Int) { self.limit = limit }
        var last: PermitLease? { leases.withLock { $0.last } }
        func wants() async -> [PermitWant] { [PermitWant(name: "a", limit: limit, inFlight: 2, waiting: 3)] }
        func take(_ lease: @Sendable (String) -> PermitLease) async { leases.withLock { $0.append(lease("a")) } }
    }

    private final class Told: SharedNews {
        let news: Mutex<[News]>
        let heard = Mutex<[NewsBoard.Change]>([])
        init(_ news: [News] = []) { self.news = Mutex(news) }
        func told(_ clock: EngineClock) async -> [News] {
            news.withLock { news in
                defer { news = [] }
                return news
            }
        }
        func hear(_ change: NewsBoard.Change, _ clock: EngineClock) async { heard.withLock { $0.append(change) } }
        var all: [NewsBoard.Change] { heard.withLock { $0 } }
    }

    private let engine = MadeUpEngine()
    private let time = ManualTime()
    private let limits = Limits(10)
    private let status = ClusterStatus()
    private let book = LogBook()
    private let bell = ExchangeBell()

    private func keeper(_ news: [any SharedNews] = [], instance: String = "i1") throws -> ClusterKeeper {
        ClusterKeeper(
            engine: engine, keys: try #require(ExchangeKeys(cluster: "test")), instance: instance, leastInstances: 2,
            limits: limits, news: news, meters: SharedMeters(bell), bell: bell, status: status, time: time.source,
            random: { 0.5 }, logger: book.logger)
    }

    private var warnings: [String] { book.lines.filter { $0.level == .warning }.map(\.message) }

    @Test func `What is wanted is told, and what is given is taken`() async throws {
        engine.change { ($0.share, $0.members) = (4, 3) }
        var talk = ClusterTalk(try keeper())
        await talk.exchange()
        #expect(engine.look(\.wants) == ["a": 5])
        #expect(limits.last?.share == 4)
        #expect(limits.last?.until == .seconds(5) - .milliseconds(100))
        #expect(status.present.word == "shared")
        #expect(status.present.instances == 3)
        #expect(engine.takeCommands() == ["SCRIPT", "EVALSHA"])
        await talk.exchange()
        #expect(engine.takeCommands() == ["EVALSHA"], "the script is there, and the connection stays")
        #expect(engine.look(\.connections) == 1)
    }

    @Test func `An engine that fails is told of once, and each goes on with its part until it is back`() async throws {
        var talk = ClusterTalk(try keeper())
        await talk.exchange()
        engine.change { $0.failure = .timedOut }
        for _ in 0..<7 {
            time.advance(by: .seconds(1))
            await talk.exchange()
        }
        #expect(status.present.word == "degraded")
        #expect(status.present.failures == 7)
        #expect(limits.last?.capacity(at: time.now) == 5, "the limit by `instances`")
        #expect(warnings.count == 1)
        #expect(warnings[0].contains("did not answer in time"))
        engine.change { $0.failure = .refused("WRONGPASS") }
        await talk.exchange()
        #expect(warnings.count == 2, "another reason is told, too")
        engine.change { $0.failure = nil }
        time.advance(by: .seconds(1))
        await talk.exchange()
        #expect(status.present.word == "shared")
        #expect(status.present.problem == nil)
        #expect(engine.look(\.connections) == 2)
    }

    @Test func `What the engine refuses ends the connection, so that the next one may find another server`()
        async throws
    {
        var talk = ClusterTalk(try keeper())
        await talk.exchange()
        engine.change { $0.refusal = .error(Array("READONLY You can't write against a read only replica.".utf8)) }
        await talk.exchange()
        #expect(status.present.problem != nil)
        engine.change { $0.refusal = nil }
        await talk.exchange()
        #expect(engine.look(\.connections) == 2)
        #expect(status.present.problem == nil)
    }

    @Test func `A script that was forgotten is sent along`() async throws {
        var talk = ClusterTalk(try keeper())
        await talk.exchange()
        engine.change { $0.hasScript = false }
        _ = engine.takeCommands()
        await talk.exchange()
        #expect(engine.takeCommands() == ["EVALSHA", "EVAL"])
        #expect(status.present.problem == nil)
    }

    @Test(arguments: [RESP.integer(5), .array([]), .null, .array([.integer(0)])])
    func `What is no answer is as good as none`(answer: RESP) async throws {
        engine.change { $0.refusal = answer }
        var talk = ClusterTalk(try keeper())
        await talk.exchange()
        #expect(status.present.problem == EngineFailure.malformed.words)
        #expect(limits.last?.capacity(at: time.now) == 5)
    }

    @Test func `News go from one to the other, once`() async throws {
        let (from, to) = (Told([.retired(model: "a\tm", at: 5)]), Told())
        var first = ClusterTalk(try keeper([from]))
        var second = ClusterTalk(try keeper([to], instance: "i2"))
        await first.exchange()
        #expect(engine.look(\.news.count) == 0, "before the first answer nobody knows what time it is")
        await first.exchange()
        await second.exchange()
        await second.exchange()
        #expect(to.all == [.retired(model: "a\tm", at: 5)])
        #expect(from.all.isEmpty, "its own news are none")
    }

    @Test func `News that could not be told are told later`() async throws {
        let (from, to) = (Told(), Told())
        var first = ClusterTalk(try keeper([from]))
        await first.exchange()
        engine.change { $0.failure = .closed }
        from.news.withLock { $0 = [.retired(model: "a\tm", at: 5)] }
        await first.exchange()
        engine.change { $0.failure = nil }
        await first.exchange()
        var second = ClusterTalk(try keeper([to], instance: "i2"))
        await second.exchange()
        #expect(to.all.count == 1)
    }

    @Test func `An engine that has forgotten is told again what must last`() async throws {
        let from = Told()
        var first = ClusterTalk(try keeper([from]))
        await first.exchange()
        from.news.withLock {
            $0 = [
                .key(News.KeyRecord(name: "k", created: 1, changed: 2, isRevoked: true, record: [])),
                .cooldown(of: "a", until: 1_790_000_060_000, isThrottle: true),
            ]
        }
        await first.exchange()
        #expect(engine.look(\.news.count) == 2)
        engine.change { ($0.news, $0.board) = ([], 2) }
        await first.exchange()
        await first.exchange()
        let told = engine.look(\.news)
        #expect(told.count == 1)
        #expect(String(decoding: told.first ?? [], as: UTF8.self).contains("\tkey\t"))
    }

    @Test func `It runs once a second, sooner when the bell rings, and leaves at its end`() async throws {
        let keeper = try keeper()
        let running = Task { await keeper.run() }
        // The subscription's wait and the pause.
        func exchanges() -> Int { status.present.exchanges }
        func tick() async {
            await time.waitForSleepers(1)
            time.advance(by: .milliseconds(200))
            await time.waitForSleepers(1)
        }
        await time.waitForSleepers(1)
        #expect(exchanges() == 1)
        for _ in 0..<4 { await tick() }
        #expect(exchanges() == 1)
        await tick()
        #expect(exchanges() == 2, "a second")
        bell.ring()
        await tick()
        #expect(exchanges() == 3)
        running.cancel()
        await running.value
        #expect(engine.look(\.leavers) == ["i1"])
    }
}
