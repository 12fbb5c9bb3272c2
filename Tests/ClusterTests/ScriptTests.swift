import ClusterSimulation
import Glibc
import Testing

@testable import ProxyCluster

/// The script in a real engine, beside the virtual one.
@Suite(.enabled(if: RedisServer.program != nil)) struct ScriptTests {
    /// With a clock and a run that are told with each call.
    private static let script = ExchangeScript.text(
        clock: "{ ARGV[#ARGV - 2], ARGV[#ARGV - 1] }", run: "ARGV[#ARGV]")

    private func load(_ script: String, into server: RedisServer) throws -> [UInt8] {
        try #require(try server.call("SCRIPT", "LOAD", script).bytes)
    }

    private func call(_ sha: [UInt8], _ keys: ExchangeKeys, _ request: ExchangeRequest, _ more: [String] = [])
        -> [[UInt8]]
    {
        [Array("EVALSHA".utf8), sha, Array("4".utf8)] + request.arguments(keys) + more.map { Array($0.utf8) }
    }

    @Test func `By the engine's own clock and run`() throws {
        let server = try RedisServer()
        let sha = try load(ExchangeScript.text, into: server)
        let keys = try #require(ExchangeKeys(cluster: "test"))
        var member = ClusterMember(instance: "a", leastInstances: 1)
        for number in 1...2 {
            let now = Duration.milliseconds(1_000 * number)
            let request = member.begin(
                [PermitWant(name: "account", limit: 10, inFlight: 0, waiting: 3)],
                meters: [
                    ExchangeRequest.Meter(
                        name: "key", isRate: true, limit: 60, granted: 0, settled: 0, allowance: 0, spent: 0, known: -1,
                        rate: 0,
                        need: 1,
                        isActive: false, life: 60_000)
                ],
                news: [NewsPost(topic: "t", rank: "1", life: 1_000, body: [1])], at: now)
            guard case .reply(let reply) = ExchangeReply.read(try server.call(call(sha, keys, request)), to: request)
            else {
                Issue.record("no reply")
                return
            }
            #expect(reply.learningFor > 4_000 && reply.learningFor <= 5_000 && reply.members == 1)
            #expect(abs(reply.now / 1_000 - Int64(time(nil))) <= 2)
            #expect(member.apply(reply, of: request.number, at: now) == .applied(repeatsNews: number == 1))
        }
        let stale = try server.call(
            call(sha, keys, ExchangeRequest(instance: "a", number: 2, lease: 5_000, isLeased: false)))
        #expect(stale == .array([.integer(1)]))
        // Everything ends when nobody comes any more.
        for key in try #require(try server.call("KEYS", "*").array).compactMap(\.bytes) {
            let name = String(decoding: key, as: UTF8.self)
            #expect(name.hasPrefix("{ociai:test}:1:"))
            #expect((try server.call("PTTL", name).integer ?? -1) > 0, "\(name)")
        }
    }

    @Test func `The engine's user needs these commands, keys and channels, and no more`() throws {
        let server = try RedisServer()
        let sha = try load(ExchangeScript.text, into: server)
        let allowed =
            "+eval +evalsha +script|load +info +time +get +set +del +pexpire +hget +hset +hdel +hmget +hincrby "
            + "+zadd +zrem +zscore +zrangebyscore +publish +subscribe +ping"
        let rules = ["ACL", "SETUSER", "proxy", "on", ">secret", "~{ociai:*", "&{ociai:*"]
        #expect(
            try server.call((rules + allowed.split(separator: " ").map(String.init)).map { Array($0.utf8) })
                == .status(Array("OK".utf8)))
        #expect(try server.call("AUTH", "proxy", "secret") == .status(Array("OK".utf8)))
        let keys = try #require(ExchangeKeys(cluster: "test"))
        var request = ClusterMember(instance: "a", leastInstances: 1)
            .begun([PermitWant(name: "o", limit: 4, inFlight: 0, waiting: 1)])
        request.news = [NewsPost(topic: "t", rank: "1", life: 1_000, body: [1])]
        guard case .reply = ExchangeReply.read(try server.call(call(sha, keys, request)), to: request) else {
            Issue.record("no reply")
            return
        }
        #expect(try server.call("GET", "other").errorCode == "NOPERM")
        #expect(try server.call("FLUSHALL").errorCode == "NOPERM")
    }

    @Test(arguments: UInt64(1)...6)
    func `The virtual engine does the same`(seed: UInt64) throws {
        var dice = Dice(seed)
        let server = try RedisServer()
        let sha = try load(Self.script, into: server)
        let keys = try #require(ExchangeKeys(cluster: "c-\(seed)"))
        var engine = VirtualEngine(run: "r1")
        let names = (0..<Int.random(in: 2...9, using: &dice)).map { "i\($0)" }
        var members = names.map { ClusterMember(instance: $0, leastInstances: 2) }
        var meters = names.map { _ in
            [
                Meter(name: "rpm", kind: .rate, limit: 60),
                Meter(name: "tpm", kind: .rate, limit: 90_001, typical: 700),
                Meter(name: "money", kind: .budget, limit: 5_000_000_000_000, typical: 30_000_000),
            ]
        }
        let limits = (0..<4).map { _ in Int.random(in: 0...40, using: &dice) }
        var busy = names.map { _ in limits.map { _ in 0 } }
        var boards = names.map { _ in NewsBoard() }
        var clock: Int64 = 1_790_000_000_000
        var (now, run) = (Duration.seconds(100), 1)
        var compared = 0
        for step in 0..<500 {
            let passed =
                dice.happens(0.03)
                ? Int64.random(in: 1_000...7_000, using: &dice) : Int64.random(in: 0...400, using: &dice)
            clock += passed
            now += .milliseconds(passed)
            if dice.happens(0.006) { clock += dice.happens(0.5) ? 3_600_000 : -3_600_000 }
            if dice.happens(0.006) { clock -= Int64.random(in: 0...2_400, using: &dice) }
            if dice.happens(0.008) {
                run += 1
                engine.run = "r\(run)"
            }
            if dice.happens(0.004) {
                engine.empty()
                _ = try server.call("FLUSHALL")
            }
            let index = Int.random(in: members.indices, using: &dice)
            if dice.happens(0.02) {
                members[index] = ClusterMember(instance: "i\(index)-\(step)", leastInstances: 2)
            }
            for meter in meters[index].indices where dice.happens(0.6) {
                _ = meters[index][meter].take(
                    Int64.random(in: 1...(meter == 0 ? 3 : meter == 1 ? 9_000 : 90_000_000_000), using: &dice), at: now)
                if dice.happens(0.2) { meters[index][meter].correct(by: Int64.random(in: -500...500, using: &dice)) }
                if dice.happens(0.1) { meters[index][meter].goOnAlone(among: 3, until: now + .seconds(3), at: now) }
            }
            for object in limits.indices where dice.happens(0.4) {
                busy[index][object] = Int.random(in: 0...30, using: &dice)
            }
            var wants: [PermitWant] = []
            for (object, limit) in limits.enumerated() where !dice.happens(0.05) {
                let lease = members[index].lease(of: "o\(object)").capacity(at: now)
                wants.append(
                    PermitWant(
                        name: "o\(object)", limit: dice.happens(0.05) ? limit / 2 : limit,
                        inFlight: min(busy[index][object], lease),
                        waiting: max(0, busy[index][object] - lease)))
            }
            var news: [NewsPost] = []
            if dice.happens(0.3) {
                let found: News = [
                    .cooldown(of: "o1", until: clock + Int64.random(in: 0...20_000, using: &dice), isThrottle: true),
                    .learntLimit(of: "o2", limit: Int.random(in: 1...9, using: &dice), at: clock),
                    .retired(model: "m", at: clock),
                    .key(
                        News.KeyRecord(
                            name: "k\(step % 3)", created: 5, changed: clock, isRevoked: dice.happens(0.2),
                            record: [0, 9, 255])),
                ][Int.random(in: 0..<4, using: &dice)]
                news = boards[index].post(found, from: members[index].instance, at: clock).map { [$0] } ?? []
            }
            var request = members[index].begin(
                wants,
                meters: meters[index].map { meter in
                    var meter = meter
                    return meter.report(life: .seconds(100_000), at: now)
                }, news: news, at: now)
            if dice.happens(0.02) { request.number -= 1 }
            if dice.happens(0.01) { request = members[index].leave() }
            let expected = engine.exchange(request, at: clock)
            let answer = try server.call(
                call(
                    sha, keys, request, [String(clock / 1_000), String(clock % 1_000 * 1_000), "r\(run)"]))
            switch ExchangeReply.read(answer, to: request) {
            case .reply(let reply):
                guard reply == expected else {
                    Issue.record("seed \(seed), step \(step): \(reply) and not \(String(describing: expected))")
                    return
                }
                compared += 1
                // Lost at times.
                guard !dice.happens(0.1) else { continue }
                _ = members[index].apply(reply, of: request.number, at: now)
                for (meter, block) in reply.blocks.enumerated() {
                    meters[index][meter].apply(block, until: members[index].leaseEnd, isLearning: reply.learningFor > 0)
                }
                for body in reply.news {
                    guard case .news(let text) = NewsText.read(body) else {
                        Issue.record("unreadable news")
                        continue
                    }
                    _ = boards[index].apply(text, at: reply.now)
                }
            case .overtaken: #expect(expected == nil, "seed \(seed), step \(step)")
            case .malformed:
                Issue.record(
                    "seed \(seed), step \(step): \(answer.bytes.map { String(decoding: $0, as: UTF8.self) } ?? "\(answer)")"
                )
                return
            }
        }
        #expect(compared > 350)
    }
}

extension ClusterMember {
    fileprivate func begun(_ wants: [PermitWant]) -> ExchangeRequest {
        var member = self
        return member.begin(wants, at: .seconds(1))
    }
}
