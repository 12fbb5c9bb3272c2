import Proxy
import RoutingSimulation
import Testing

/// What the routing core promises, whole: many accounts, their hidden ceilings and outages, under virtual time.
@Suite struct SimulationTests {
    /// A short run, for a debug build.
    private func run(
        _ scenario: Scenario, load: Double = 0.7, seed: UInt64 = 1, _ contender: Contender = Contender.all[0],
        _ adjust: (inout Conditions) -> Void = { _ in }
    ) -> RunFigures {
        var conditions = Conditions(scenario, load: load, seed: seed)
        conditions.accounts = 6
        conditions.duration = 45
        adjust(&conditions)
        var simulation = Simulation(conditions, contender)
        return simulation.run()
    }

    /// Limits well below the ceilings: no 429 disturbs what is looked at.
    private func fits(_ conditions: inout Conditions) { conditions.limits = 0.3...0.5 }

    @Test func `The same arguments print the same table`() {
        let tables = (0..<2).map { _ in
            Report(Contender.all, scenarios: [.mixed], loads: [0.9], seeds: 7...8) {
                $0.accounts = 4
                $0.duration = 20
            }.markdown
        }
        #expect(tables[0] == tables[1])
        #expect(tables[0].split(separator: "\n").count == 2 + Contender.all.count)
        #expect(Set(tables[0].split(separator: "\n").map(\.count)).count == 1, "aligned")
        #expect(run(.mixed, seed: 1) != run(.mixed, seed: 2))
    }

    @Test(arguments: Scenario.allCases)
    func `The books balance`(scenario: Scenario) {
        for (seed, load) in [(1, 0.7), (2, 1.5)] as [(UInt64, Double)] {
            let contender = Contender.all[Int(seed) % Contender.all.count]
            let figures = run(scenario, load: load, seed: seed, contender) { $0.duration = 30 }
            #expect(figures.limitsKept)
            #expect(figures.arrivals > 0 && figures.completed + figures.failed == figures.arrivals)
            #expect(figures.leftWaiting == 0 && figures.leftInFlight == 0)
            #expect(figures.mostAttempts <= 1 + RoutingSettings().retryAttempts)
            // Lengths are the oracle's only guess.
            #expect(Double(figures.completed) <= figures.oracle * 1.05)
        }
    }

    @Test(arguments: Contender.all.indices)
    func `One account that is out costs nobody an answer`(contender: Int) throws {
        for (scenario, seed) in [(.oneFails, 1), (.oneHangs, 2)] as [(Scenario, UInt64)] {
            let figures = run(scenario, load: 0.5, seed: seed, Contender.all[contender], fits)
            #expect(figures.failed == 0)
            #expect(Double(figures.attempts) <= 1.2 * Double(figures.arrivals))
            let outage = try #require(figures.outage)
            #expect(outage.deadAttempts > 0, "somebody has to find out")
        }
    }

    @Test func `An outage of all is not answered with a multiple of the load`() throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            let outage = try #require(run(.allDown, load: 0.9, seed: seed) { $0.accounts = 12 }.outage)
            #expect(Double(outage.attempts) <= 1.2 * Double(outage.arrivals) + 3 * Double(outage.seconds))
        }
    }

    @Test(arguments: Contender.all.indices)
    func `Nobody starves while there is room`(contender: Int) {
        for scenario in [.steady, .oneFails, .bursts] as [Scenario] {
            let figures = run(scenario, load: 0.6, seed: 4, Contender.all[contender], fits)
            #expect(figures.failed == 0)
            #expect(figures.worstWait < .seconds(10))
        }
    }

    // MARK: Trouble

    /// What has to be reached in every run of a trouble: the share of what the oracle would answer. The long ones get one run.
    private static let goals: [(trouble: Trouble, seeds: UInt64, share: Double)] = [
        (.overload, 2, 0.95), (.impatient, 1, 0.95), (.streams, 3, 0.95), (.oneBadModel, 1, 0.99), (.throttle, 1, 0.8),
        (.throttleRises, 1, 0.8),
        (.throttleFalls, 1, 0.8), (.restarts, 5, 0.95), (.stops, 3, 0.99),
    ]

    @Test(arguments: goals) func `Trouble costs no more than it must`(
        goal: (trouble: Trouble, seeds: UInt64, share: Double)
    ) {
        for seed in 1...goal.seeds {
            var simulation = TroubleSimulation(goal.trouble, seed: seed, Contender.all[0])
            let figures = simulation.run()
            #expect(figures.limitsKept && figures.leftWaiting == 0 && figures.leftInFlight == 0)
            #expect(figures.share >= goal.share, "\(goal.trouble.rawValue) \(seed): \(figures)")
            #expect(goal.trouble == .restarts || figures.opened == 0, "\(goal.trouble.rawValue) \(seed)")
            #expect(Double(figures.outOfTime) <= 0.03 * Double(figures.attempts), "\(goal.trouble.rawValue) \(seed)")
        }
    }
}
