import ClusterSimulation
import Testing

@testable import ProxyCluster

@Suite struct MeterTests {
    /// Instances that all ask for one meter, at paces of their own.
    private final class Askers {
        var meters: [Meter]
        var admitted: Int64 = 0
        var asked: Int64 = 0

        init(_ count: Int, _ meter: Meter) { meters = (0..<count).map { _ in meter } }
    }

    /// - Parameter pace: units a second that an instance asks for.
    private func run(
        _ harness: inout Harness, _ askers: Askers, for length: Duration, amount: Int64 = 1, _ pace: (Int) -> Double,
        each: (Harness) -> Void = { _ in }
    ) {
        var owed = askers.meters.map { _ in 0.0 }
        harness.pass(
            length, meters: { [askers.meters[$0].report(life: .seconds(180), at: $1)] },
            answered: { askers.meters[$0].apply($1.blocks[0], until: $2.leaseEnd, isLearning: $1.learningFor > 0) },
            { _ in [] },
            each: { harness in
                for index in askers.meters.indices where !harness.gone.contains(index) {
                    owed[index] += pace(index) / 100
                    while owed[index] >= Double(amount) {
                        owed[index] -= Double(amount)
                        askers.asked += amount
                        if askers.meters[index].take(amount, at: harness.now) { askers.admitted += amount }
                    }
                    let member = harness.members[index]
                    if harness.now >= member.leaseEnd, harness.now < member.safeEnd {
                        askers.meters[index].goOnAlone(among: member.count, until: member.safeEnd, at: harness.now)
                    }
                }
                each(harness)
                return false
            })
    }

    @Test(arguments: [60, 600, 6_000, 90_000], [1, 2, 8])
    func `A rate is kept exactly, and nearly all of it is used`(limit: Int64, count: Int) {
        var harness = Harness(count, leastInstances: count)
        let askers = Askers(count, Meter(name: "rpm", kind: .rate, limit: limit))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(180)) { _ in Double(limit) / 60 * 2 }
        let most = Double(limit) * (1 + 180.0 / 60)
        #expect(Double(askers.admitted) <= most)
        #expect(Double(askers.admitted) >= most * 0.9)
    }

    @Test(arguments: [10, 60, 600, 6_000])
    func `One instance alone that is asked gets nearly all`(limit: Int64) {
        var harness = Harness(8, leastInstances: 8)
        let askers = Askers(8, Meter(name: "rpm", kind: .rate, limit: limit))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(120)) { $0 == 3 ? Double(limit) / 60 * 4 : 0 }
        let most = Double(limit) * 3
        #expect(Double(askers.admitted) <= most && Double(askers.admitted) >= most * 0.8)
    }

    @Test(arguments: [1, 2, 8])
    func `A budget is spent to its end and not beyond`(count: Int) {
        var harness = Harness(count, leastInstances: count)
        let askers = Askers(count, Meter(name: "money", kind: .budget, limit: 1_000_000, typical: 300))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(120), amount: 300) { _ in 40_000 }
        #expect(askers.admitted <= 1_000_000 && askers.admitted >= 990_000)
    }

    @Test(arguments: [2, 8])
    func `Large requests get their turn`(count: Int) {
        var harness = Harness(count, leastInstances: count)
        let askers = Askers(count, Meter(name: "tpm", kind: .rate, limit: 100_000, typical: 1_000))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(120), amount: 60_000) { _ in 60_000 }
        #expect(askers.admitted <= 300_000 && askers.admitted >= 240_000)
    }

    @Test(arguments: [true, false])
    func `Without an engine each spends its part, and what it spent is charged afterwards`(isRate: Bool) {
        var harness = Harness(8, leastInstances: 8)
        let limit: Int64 = isRate ? 6_000 : 100_000
        let askers = Askers(8, Meter(name: "m", kind: isRate ? .rate : .budget, limit: limit))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(20)) { _ in 100 }
        let began = askers.admitted
        harness.cut = Set(0..<8)
        run(&harness, askers, for: .seconds(60)) { _ in isRate ? 100 : 1_000 }
        let alone = askers.admitted - began
        #expect(alone > limit / 2, "nothing closes")
        let most = isRate ? Double(limit) * (1 + 80.0 / 60) : Double(limit)
        #expect(Double(askers.admitted) <= most * 1.02)
        harness.cut = []
        run(&harness, askers, for: .seconds(60)) { _ in 1_000 }
        #expect(Double(askers.admitted) <= (isRate ? Double(limit) * (1 + 140.0 / 60) : Double(limit)) * 1.02)
    }

    @Test func `An emptied engine is told what was used`() {
        var harness = Harness(4, leastInstances: 4)
        let askers = Askers(4, Meter(name: "money", kind: .budget, limit: 10_000))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(20)) { _ in 100 }
        for _ in 0..<4 {
            harness.engine.empty()
            run(&harness, askers, for: .seconds(15)) { _ in 100 }
        }
        #expect(askers.admitted <= 10_200 && askers.admitted >= 9_800)
    }

    @Test(arguments: [10, 400, 10_000])
    func `Who meets a key for the first time lends it little`(limit: Int64) {
        let lent = (0..<8).map { _ in
            var meter = Meter(name: "rpm", kind: .rate, limit: limit)
            meter.lendFirst(among: 8, until: .seconds(5))
            return meter.balance(at: .zero)
        }
        #expect(lent.reduce(0, +) <= max(8, limit / 50))
        #expect(lent.allSatisfy { $0 >= 1 })
    }

    @Test func `A refused request is told how long to wait`() {
        var meter = Meter(name: "rpm", kind: .rate, limit: 60)
        meter.apply(
            ExchangeReply.Block(allowance: 2, counted: 2, remaining: 0, used: 0), until: .seconds(5), isLearning: false)
        #expect(meter.wait(for: 5, at: .seconds(1)) == .seconds(4))
        #expect(meter.wait(for: 2, at: .seconds(1)) == .seconds(1))
        #expect(meter.wait(for: 1_000, at: .seconds(1)) == .seconds(59))
        var budget = Meter(name: "money", kind: .budget, limit: 60, used: 60)
        budget.apply(
            ExchangeReply.Block(allowance: 0, counted: 0, remaining: 0, used: 60), until: .seconds(5), isLearning: false
        )
        #expect(budget.wait(for: 1, at: .seconds(1)) == nil)
    }

    @Test func `What was drawn is void with the lease`() {
        var meter = Meter(name: "rpm", kind: .rate, limit: 60)
        meter.apply(
            ExchangeReply.Block(allowance: 9, counted: 9, remaining: 40, used: 0), until: .seconds(5), isLearning: false
        )
        let before = meter.take(3, at: .milliseconds(4_999))
        let after = meter.take(3, at: .seconds(5))
        #expect(before && !after && meter.balance(at: .seconds(5)) == 0)
        // A part of what was left when it is known that there is no engine.
        meter.goOnAlone(among: 4, until: .seconds(9), at: .seconds(6))
        #expect(meter.balance(at: .seconds(6)) == 10)
        meter.goOnAlone(among: 4, until: .seconds(18), at: .seconds(14))
        #expect(meter.balance(at: .seconds(14)) == 12)
        #expect(meter.balance(at: .seconds(18)) == 0)
    }

    @Test(arguments: [1_000, 1_000_000])
    func `What an instance has drawn comes back when it is gone`(limit: Int64) {
        var harness = Harness(2, leastInstances: 2)
        let askers = Askers(2, Meter(name: "money", kind: .budget, limit: limit))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(4)) { _ in 10 }
        harness.gone = [1]
        let spent = askers.meters[1].spent
        run(&harness, askers, for: .seconds(90)) { _ in Double(limit) / 20 }
        // It may have spent for a second since it was last heard.
        #expect(
            askers.meters[0].spent + spent >= limit - limit / 500 - 20 && askers.meters[0].spent + spent <= limit + 12)
    }

    @Test func `What was not used is given back, and what was used beyond is charged`() {
        var harness = Harness(1)
        let askers = Askers(1, Meter(name: "tpm", kind: .rate, limit: 6_000, typical: 100))
        harness.pass(.seconds(8)) { _ in [] }
        run(&harness, askers, for: .seconds(2)) { _ in 200 }
        let before = askers.meters[0].spent
        askers.meters[0].correct(by: -100)
        #expect(askers.meters[0].spent == before - 100)
        askers.meters[0].correct(by: 20_000)
        run(&harness, askers, for: .seconds(5)) { _ in 0 }
        let isLetIn = askers.meters[0].take(1, at: harness.now)
        #expect(!isLetIn)
        #expect(askers.meters[0].remaining == 0)
    }
}
