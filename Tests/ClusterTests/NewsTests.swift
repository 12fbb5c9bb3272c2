import ClusterSimulation
import Testing

@testable import ProxyCluster

@Suite struct NewsTextTests {
    static let all: [News] = [
        .cooldown(of: "acme/us-phoenix-1/cohere.command-a", until: 1_790_000_060_000, isThrottle: true),
        .cooldown(of: "a\tb", until: 0, isThrottle: false), .breakerOpened(of: "a", until: 5),
        .learntLimit(of: "a", limit: 12, at: 7), .retired(model: "m", at: 9),
        .key(News.KeyRecord(name: "al\tice", created: 1, changed: 2, isRevoked: false, record: [0, 9, 10, 255])),
        .key(News.KeyRecord(name: "bob", created: 1, changed: 2, isRevoked: true, record: [])),
        .erased(document: "{ociai:c}:1:d:Ab_-", until: 11),
        .instance(
            InstanceNews(name: "host-1:8080", version: "1.2.3", state: "healthy", startedAt: 5, inFlight: 3, at: 9)),
    ]

    @Test(arguments: all) func `News are read as they were written`(news: News) throws {
        let text = NewsText(origin: "i1", news: news)
        #expect(NewsText.read(try #require(text.bytes)) == .news(text))
    }

    @Test func `An operator can read them`() {
        let text = NewsText(
            origin: "i1", news: .cooldown(of: "acme/phoenix", until: 1_790_000_060_000, isThrottle: true))
        #expect(text.bytes == Array("1\ti1\tcooldown\t1790000060000\t1\tacme/phoenix".utf8))
    }

    @Test(arguments: ["2\tx", "17\ti1\tcooldown\t5\t1\ta", "1\ti1\tcolour\tblue", "1\ti1\tcolour\t"])
    func `What is newer than this program is left alone`(text: String) {
        #expect(NewsText.read(Array(text.utf8)) == .unknown)
    }

    @Test(
        arguments: [
            "", "1", "1\t", "x\ty\tz", "1\ti1\tcooldown\t5\t2\ta", "1\ti1\tcooldown\t-5\t1\ta",
            "1\ti1\tcooldown\t5\t1\t",
            "1\ti1\tcooldown\t99999999999999999999\t1\ta", "1\ti1\tbreaker\t5", "1\ti1\tlimit\t1\t4294967296\ta",
            "1\ti1\tkey\t1\t2\t0\t9\tabc", "1\ti1\tkey\t1\t2\t0\t0\tabc", "1\ti1\tkey\t1\t2\t0\t-1\tabc",
        ])
    func `What is broken is told`(text: String) { #expect(NewsText.read(Array(text.utf8)) == .malformed) }

    @Test func `What is too long is neither written nor read`() {
        let long = String(repeating: "x", count: NewsText.longest)
        #expect(NewsText(origin: "i", news: .retired(model: long, at: 1)).bytes == nil)
        #expect(NewsText(origin: "a\tb", news: .retired(model: "m", at: 1)).bytes == nil)
        #expect(NewsText.read(Array("1\ti\tretired\t1\t\(long)".utf8)) == .malformed)
    }

    @Test(arguments: UInt64(0)..<40) func `Spoilt bytes harm nobody`(seed: UInt64) throws {
        var dice = Dice(seed)
        for news in Self.all {
            var bytes = try #require(NewsText(origin: "i1", news: news).bytes)
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                let index = Int.random(in: bytes.indices, using: &dice)
                switch Int.random(in: 0..<3, using: &dice) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &dice)
                case 1 where bytes.count > 1: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: index)
                }
            }
            guard case .news(let text) = NewsText.read(bytes) else { continue }
            // Whatever was understood means the same when it is told on.
            #expect(NewsText.read(try #require(text.bytes)) == .news(text))
        }
    }
}

@Suite struct NewsBoardTests {
    private var board = NewsBoard()
    private let now: Int64 = 1_790_000_000_000

    private mutating func hear(_ news: News, from origin: String = "b", at moment: Int64? = nil) -> [NewsBoard.Change] {
        board.apply(NewsText(origin: origin, news: news), at: moment ?? now)
    }

    @Test mutating func `A cooldown is taken as it is, once, and for ten minutes at most`() {
        #expect(
            hear(.cooldown(of: "a", until: now + 5_000, isThrottle: true)) == [
                .coolDown("a", until: now + 5_000, isThrottle: true)
            ])
        #expect(hear(.cooldown(of: "a", until: now + 5_000, isThrottle: true), from: "c") == [])
        #expect(hear(.cooldown(of: "a", until: now + 3_000, isThrottle: true)) == [])
        #expect(hear(.cooldown(of: "a", until: now - 1, isThrottle: true)) == [])
        #expect(
            hear(.cooldown(of: "b", until: .max, isThrottle: false)) == [
                .coolDown("b", until: now + 600_000, isThrottle: false)
            ])
        _ = board.expire(at: now + 700_000)
        #expect(hear(.cooldown(of: "a", until: now + 705_000, isThrottle: true), at: now + 700_000).count == 1)
    }

    @Test mutating func `A breaker that has opened elsewhere is a hint, one for each time`() {
        #expect(hear(.breakerOpened(of: "a", until: now + 30_000)) == [.probe("a")])
        #expect(hear(.breakerOpened(of: "a", until: now + 31_000), from: "c", at: now + 1_000) == [])
        #expect(hear(.breakerOpened(of: "a", until: now + 70_000), at: now + 31_000) == [.probe("a")])
        #expect(hear(.breakerOpened(of: "a", until: now), at: now + 90_000) == [])
    }

    @Test mutating func `What was deleted is told of once, and for ten minutes at most`() {
        #expect(hear(.erased(document: "d", until: .max)) == [.erase(document: "d")])
        #expect(hear(.erased(document: "d", until: now + 600_000), from: "c") == [])
        #expect(hear(.erased(document: "e", until: now)) == [])
        _ = board.expire(at: now + 600_000)
        #expect(hear(.erased(document: "d", until: now + 700_000), at: now + 650_000) == [.erase(document: "d")])
    }

    @Test mutating func `An instance is there for as long as it says something`() {
        func one(_ name: String, _ inFlight: Int, at moment: Int64) -> News {
            .instance(
                InstanceNews(
                    name: name, version: "1", state: "healthy", startedAt: 1, inFlight: inFlight, at: moment))
        }
        #expect(hear(one("b:1", 1, at: now), from: "x") == [])
        #expect(hear(one("a:1", 2, at: now), from: "y") == [])
        #expect(hear(one("b:1", 7, at: now - 1), from: "x") == [], "older than what it has said")
        #expect(board.instances(at: now).map(\.instance) == ["y", "x"])
        #expect(board.instances(at: now).map(\.news.inFlight) == [2, 1])
        #expect(hear(one("b:1", 3, at: now + 10_000), from: "x", at: now + 10_000) == [])
        #expect(board.instances(at: now + 15_000).map(\.instance) == ["x"])
        _ = board.expire(at: now + 25_000)
        #expect(board.instances(at: now + 15_000).isEmpty)
        #expect(board.post(one("z", 0, at: now), from: "me", at: now) != nil)
        #expect(board.post(one("z", 0, at: now + 1), from: "me", at: now + 1) != nil, "told each time")
    }

    @Test mutating func `Of learnt limits the lowest fresh one holds`() {
        #expect(hear(.learntLimit(of: "a", limit: 10, at: now), from: "b") == [.limit("a", 10)])
        #expect(hear(.learntLimit(of: "a", limit: 20, at: now), from: "c") == [])
        #expect(hear(.learntLimit(of: "a", limit: 7, at: now + 1_000), from: "c", at: now + 1_000) == [.limit("a", 7)])
        #expect(
            hear(.learntLimit(of: "a", limit: 5, at: now + 500), from: "c", at: now + 1_000) == [],
            "older than what it has said")
        #expect(board.expire(at: now + 599_999) == [])
        #expect(board.expire(at: now + 600_000) == [])
        #expect(board.expire(at: now + 601_000) == [.limit("a", nil)])
        #expect(hear(.learntLimit(of: "a", limit: 5, at: now), at: now + 600_000) == [])
    }

    @Test mutating func `Of a key the later one holds, and nothing makes a revoked one valid again`() {
        func key(_ created: Int64, _ changed: Int64, _ isRevoked: Bool) -> News {
            .key(News.KeyRecord(name: "alice", created: created, changed: changed, isRevoked: isRevoked, record: []))
        }
        #expect(hear(key(1, 5, false)).count == 1)
        #expect(hear(key(1, 5, false)) == [])
        #expect(hear(key(1, 3, true)).count == 1, "revoked before the change, at an instance that did not know of it")
        #expect(hear(key(1, 900, false)) == [])
        #expect(hear(key(2, 2, false)).count == 1, "another key of that name")
        #expect(hear(key(1, 999, true)) == [])
    }

    @Test(arguments: UInt64(0)..<30)
    func `In any order, and heard twice, news come to the same`(seed: UInt64) {
        var dice = Dice(seed)
        let texts = (0..<30).map { _ in
            let of = ["a", "b"].randomElement(using: &dice) ?? ""
            let origin = ["x", "y", "z"].randomElement(using: &dice) ?? ""
            let at = now - Int64.random(in: 0...500_000, using: &dice)
            let news: News =
                switch Int.random(in: 0..<2, using: &dice) {
                case 0: .learntLimit(of: of, limit: Int.random(in: 1...99, using: &dice), at: at)
                default:
                    .key(
                        News.KeyRecord(
                            name: of, created: Int64.random(in: 1...2, using: &dice), changed: at,
                            isRevoked: dice.happens(0.2), record: []))
                }
            return NewsText(origin: origin, news: news)
        }
        func heard(_ texts: [NewsText]) -> [NewsPost] {
            var board = NewsBoard()
            var lowest: [String: Int] = [:]
            for text in texts {
                for case .limit(let of, let limit) in board.apply(text, at: now) { lowest[of] = limit }
            }
            return board.lasting(from: "me", at: now)
                + lowest.sorted { $0.key < $1.key }.map {
                    NewsPost(topic: $0.key, rank: String($0.value), life: 0, body: [])
                }
        }
        let first = heard(texts)
        for _ in 0..<5 {
            #expect(heard(texts.shuffled(using: &dice) + texts.shuffled(using: &dice).prefix(10)) == first)
        }
    }

    @Test mutating func `What is found out here is told once`() throws {
        let found = News.cooldown(of: "a", until: now + 4_000, isThrottle: true)
        let post = board.post(found, from: "me", at: now)
        #expect(
            post
                == NewsPost(
                    topic: "cooldown/a", rank: "0001790000004000", life: 4_000,
                    body: Array("1\tme\tcooldown\t1790000004000\t1\ta".utf8)))
        let again = board.post(found, from: "me", at: now)
        #expect(again == nil)
        let key = board.post(
            .key(News.KeyRecord(name: "k", created: 1, changed: 2, isRevoked: true, record: [1])), from: "me", at: now)
        #expect(key?.life == 0 && key?.rank == "0000000000000001" + "1" + "0000000000000002")
        #expect(board.lasting(from: "me", at: now).map(\.topic) == ["key/k"])
    }
}
