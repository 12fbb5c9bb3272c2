import ClusterSimulation
import Testing

@testable import ProxyCluster

@Suite struct LeaseTests {
    private func want(_ waiting: Int, limit: Int, inFlight: Int = 0) -> [PermitWant] {
        [PermitWant(name: "account", limit: limit, inFlight: inFlight, waiting: waiting)]
    }

    private func settled(_ count: Int, limit: Int, seed: UInt64 = 1, _ waiting: (Int) -> Int) -> Harness {
        var harness = Harness(count, leastInstances: count, seed: seed)
        harness.pass(.seconds(15)) { want(waiting($0), limit: limit) }
        return harness
    }

    @Test(arguments: [1, 2, 8, 64], [64, 100, 1_000])
    func `Who all want more than there is share it evenly, and nearly all of it`(count: Int, limit: Int) {
        let capacities = settled(count, limit: limit) { _ in 10_000 }.capacities
        #expect(capacities.reduce(0, +) <= limit)
        #expect(capacities.reduce(0, +) >= limit - (limit % count == 0 ? 0 : 1))
        #expect((capacities.max() ?? 0) - (capacities.min() ?? 0) <= 1)
    }

    @Test func `By want, and one for who wants nothing`() {
        let capacities = settled(4, limit: 100) { [300, 100, 0, 0][$0] }.capacities
        #expect(capacities[2...] == [1, 1])
        #expect((72...74).contains(capacities[0]) && (24...26).contains(capacities[1]), "\(capacities)")
    }

    @Test func `What nobody wants is shared out for who comes next`() {
        #expect(settled(4, limit: 100) { [10, 0, 0, 0][$0] }.capacities == [31, 22, 22, 22])
        #expect(settled(4, limit: 100) { _ in 0 }.capacities == [25, 25, 25, 25])
    }

    @Test func `With fewer permits than instances they go round`() {
        var harness = Harness(8, leastInstances: 8)
        var had = [Int](repeating: 0, count: 8)
        harness.pass(
            .seconds(120), { _ in want(5, limit: 3) },
            each: {
                #expect($0.now < .seconds(57) || $0.capacities.reduce(0, +) <= 3)
                for index in 0..<8 { had[index] += $0.capacity(index) }
                return false
            })
        #expect(had.allSatisfy { $0 > 500 }, "\(had)")
    }

    @Test(arguments: UInt64(0)..<30)
    func `The share of a dead instance is back within its lease and an exchange`(seed: UInt64) {
        var harness = settled(8, limit: 400, seed: seed) { _ in 1_000 }
        harness.gone = [Int(seed % 8)]
        let died = harness.now
        harness.pass(.seconds(20), { _ in want(1_000, limit: 400) }, each: { $0.capacities.reduce(0, +) >= 399 })
        #expect(harness.now - died <= .milliseconds(6_200), "\(harness.now - died)")
        #expect(harness.capacities.reduce(0, +) <= 400)
    }

    @Test func `Who leaves gives its share back at once`() throws {
        var harness = settled(3, limit: 90) { _ in 100 }
        let request = harness.members[0].leave()
        _ = harness.engine.exchange(request, at: harness.clock)
        harness.gone = [0]
        #expect(harness.engine.counted(of: "account") == 60)
        harness.pass(.milliseconds(2_400)) { _ in want(100, limit: 90) }
        #expect(harness.capacities.reduce(0, +) == 90)
    }

    @Test(arguments: UInt64(0)..<10)
    func `A share moves to who wants it within four exchanges`(seed: UInt64) {
        var harness = settled(4, limit: 400, seed: seed) { $0 == 0 ? 1_000 : 0 }
        #expect(harness.capacities == [397, 1, 1, 1])
        let moved = harness.now
        harness.pass(.seconds(20), { want($0 == 1 ? 1_000 : 0, limit: 400) }, each: { $0.capacity(1) == 397 })
        #expect(harness.now - moved <= .milliseconds(4_800), "\(harness.now - moved)")
    }

    @Test func `What is in flight is counted until it has ended`() {
        var harness = settled(2, limit: 10) { $0 == 0 ? 100 : 0 }
        harness.pass(.seconds(20)) {
            [PermitWant(name: "account", limit: 10, inFlight: $0 == 0 ? 9 : 0, waiting: $0 == 0 ? 0 : 50)]
        }
        #expect(harness.capacity(1) == 1)
        harness.pass(.seconds(5)) { want($0 == 0 ? 0 : 50, limit: 10) }
        #expect(harness.capacity(1) == 9)
    }

    @Test func `A lower limit holds at once, a higher one when no instance knows the lower one any more`() {
        var harness = settled(2, limit: 40) { _ in 100 }
        #expect(harness.capacities == [20, 20])
        harness.pass(.milliseconds(2_500)) { want(100, limit: $0 == 0 ? 10 : 40) }
        #expect(harness.capacities.reduce(0, +) <= 10)
        harness.pass(.seconds(8)) { _ in want(100, limit: 40) }
        #expect(harness.capacities.reduce(0, +) <= 10)
        harness.pass(.seconds(6)) { _ in want(100, limit: 40) }
        #expect(harness.capacities == [20, 20])
    }

    // MARK: Without an engine

    @Test func `Without an engine each goes on with its part, and nobody with nothing`() {
        var harness = settled(8, limit: 100) { _ in 1_000 }
        harness.cut = Set(0..<8)
        harness.pass(.seconds(4)) { _ in want(1_000, limit: 100) }
        #expect(harness.capacities.reduce(0, +) >= 99, "the lease holds")
        harness.pass(
            .seconds(60), { _ in want(1_000, limit: 100) },
            each: {
                #expect($0.capacities.allSatisfy { $0 >= 12 } && $0.capacities.reduce(0, +) <= 100)
                return false
            })
        #expect(harness.members.allSatisfy { $0.mode(at: harness.now) == .degraded })
        #expect(PermitLease.safe(3, among: 8) == 1 && PermitLease.safe(0, among: 8) == 0)
    }

    @Test func `An engine that has forgotten everything gives nothing twice`() {
        var harness = settled(8, limit: 100) { $0 == 0 ? 1_000 : 0 }
        let before = harness.capacities
        harness.engine.empty()
        let emptied = harness.now
        harness.pass(
            .milliseconds(4_900), { want($0 == 0 ? 0 : 1_000, limit: 100) },
            each: {
                #expect($0.capacities == before)
                return false
            })
        #expect(harness.members[0].mode(at: harness.now) == .learning)
        harness.pass(
            .seconds(10), { want($0 == 0 ? 0 : 1_000, limit: 100) },
            each: {
                #expect($0.capacities.reduce(0, +) <= 100)
                return $0.capacities.reduce(0, +) >= 99 && $0.capacity(0) == 1
            })
        #expect(harness.now - emptied <= .seconds(10))
        #expect(harness.members.allSatisfy { $0.mode(at: harness.now) == .leased })
    }

    @Test func `Who was stopped finds its lease void, and takes nothing until the engine has spoken`() throws {
        var harness = settled(2, limit: 40) { _ in 100 }
        let stopped = harness.now
        harness.gone = [1]
        harness.pass(.seconds(10)) { _ in want(100, limit: 40) }
        #expect(harness.capacity(0) == 40)
        harness.gone = []
        #expect(stopped + .seconds(10) <= harness.now)
        #expect(harness.capacity(1) == 0 && harness.members[1].mode(at: harness.now) == .pending)
        harness.pass(
            .seconds(5), { _ in want(100, limit: 40) },
            each: {
                #expect($0.capacities.reduce(0, +) <= 40)
                return false
            })
        #expect(harness.capacities == [20, 20])
    }

    @Test func `A failure from before the stop is no proof that there is no engine`() {
        var harness = settled(2, limit: 40) { _ in 100 }
        harness.cut = [1]
        harness.pass(.milliseconds(1_300)) { _ in want(100, limit: 40) }
        harness.gone = [1]
        harness.pass(.seconds(10)) { _ in want(100, limit: 40) }
        harness.gone = []
        #expect(harness.capacity(1) == 0)
    }

    @Test func `A lease counts from when the exchange was begun, less a margin`() throws {
        var member = ClusterMember(instance: "a", leastInstances: 1)
        var engine = VirtualEngine(run: "r")
        for second in 0..<7 {
            let now = Duration.seconds(second)
            let request = member.begin(want(1, limit: 10), at: now)
            let replyAnswer = engine.exchange(request, at: Int64(second) * 1_000 + 900)
            let reply = try #require(replyAnswer)
            let outcome = member.apply(reply, of: request.number, at: now + .milliseconds(900))
            #expect(outcome == .applied(repeatsNews: second == 0))
        }
        #expect(member.leaseEnd == .milliseconds(10_900))
        #expect(member.lease(of: "account").capacity(at: .milliseconds(10_899)) == 10)
        #expect(member.lease(of: "account").capacity(at: .milliseconds(10_900)) == 0)
        #expect(member.engineTime(at: .seconds(10)) == 10_450)
        // What comes when the lease that it brings is over is of no use.
        let request = member.begin(want(1, limit: 10), at: .seconds(7))
        let replyAnswer = engine.exchange(request, at: 8_000)
        let reply = try #require(replyAnswer)
        let outcome = member.apply(reply, of: request.number, at: .seconds(12))
        #expect(outcome == .tooLate)
        #expect(member.leaseEnd == .milliseconds(10_900))
    }

    @Test func `Only the exchange that is under way is heard`() throws {
        var member = ClusterMember(instance: "a", leastInstances: 4)
        var engine = VirtualEngine(run: "r")
        let first = member.begin(want(1, limit: 10), at: .seconds(1))
        let lateAnswer = engine.exchange(first, at: 1_000)
        let late = try #require(lateAnswer)
        let second = member.begin(want(1, limit: 10), at: .seconds(2))
        #expect(member.mode(at: .seconds(2)) == .degraded, "the first one was given up")
        #expect(member.lease(of: "account").capacity(at: .seconds(2)) == 2)
        let outcome = member.apply(late, of: first.number, at: .seconds(2))
        #expect(outcome == .ignored)
        let answers = [engine.exchange(second, at: 2_000), engine.exchange(first, at: 2_001)]
        #expect(answers[0] != nil && answers[1] == nil, "overtaken")
    }

    @Test(arguments: UInt64(1)...6)
    func `Whatever goes wrong, leases keep limits and nobody starves`(seed: UInt64) {
        let figures = ClusterSimulation.run(ClusterScenario(seed: seed, duration: 35_000))
        #expect(figures.violations == [])
        #expect(figures.overLimit <= 0 && figures.longestStarved <= 10_000)
    }

    @Test(arguments: UInt64(100)...104)
    func `Without faults meters keep their limits exactly`(seed: UInt64) {
        let figures = ClusterSimulation.run(ClusterScenario(seed: seed, instances: 8, faults: [], duration: 40_000))
        #expect(figures.violations == [])
        #expect(figures.rateOvershoot <= 20 && figures.budgetOvershoot <= 20)
    }
}
