import ArgumentParser
import ClusterSimulation

/// `cluster-simulation`: instances that share limits, under virtual time, with everything going wrong.
@main
struct ClusterSimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster-simulation",
        abstract: "Runs the proxy's leases with an engine made up, and says whether a limit was ever broken.",
        discussion: "The same arguments print the same figures. What they mean: docs/decisions/0036-cluster-leases.md.")

    @Option(name: .long, help: "Runs: the seeds from --first-seed on.")
    var seeds = 100

    @Option(name: .long, help: "The first seed.")
    var firstSeed: UInt64 = 1

    @Option(name: .long, help: "Instances; each seed draws 2 to 64 without it.")
    var instances: Int?

    @Option(name: .long, help: "Seconds of virtual time.")
    var duration = 60

    @Option(
        name: .long,
        help:
            "Comma separated, none, or all: \(ClusterScenario.Fault.allCases.map(\.rawValue).joined(separator: ", ")).")
    var faults = "all"

    func validate() throws {
        guard (1...1_000_000).contains(seeds) else { throw ValidationError("--seeds is a number from 1 to 1000000.") }
        guard instances.map({ (1...256).contains($0) }) ?? true else {
            throw ValidationError("--instances is a number from 1 to 256.")
        }
        guard (15...86_400).contains(duration) else {
            throw ValidationError("--duration is a number of seconds from 15 to 86400.")
        }
        _ = try chosenFaults
    }

    private var chosenFaults: [ClusterScenario.Fault] {
        get throws {
            if faults == "all" { return ClusterScenario.Fault.allCases }
            if faults == "none" { return [] }
            return try faults.split(separator: ",").map { name in
                guard let fault = ClusterScenario.Fault(rawValue: String(name)) else {
                    throw ValidationError("\(name) is none of the faults.")
                }
                return fault
            }
        }
    }

    func run() throws {
        var all = ClusterFigures()
        let faults = try chosenFaults
        for seed in firstSeed..<firstSeed + UInt64(seeds) {
            let scenario = ClusterScenario(
                seed: seed, instances: instances, faults: faults, duration: duration * 1_000)
            let figures = ClusterSimulation.run(scenario)
            for violation in figures.violations.prefix(3) { print(violation) }
            all.add(figures)
        }
        print(
            """
            runs                                  \(seeds)
            violations                            \(all.violations.count)
            most under leases beyond a limit      \(all.overLimit)
            most in all beyond a limit            \(all.overInAll) per mille
            longest without a permit              \(all.longestStarved) ms
            rate beyond its minute                \(all.rateOvershoot) per mille
            budget beyond its limit               \(all.budgetOvershoot) per mille
            exchanges of an instance a second     \((all.exchangesPerSecond * 1_000).rounded() / 1_000)
            requests let in                       \(all.admitted)
            requests refused by meters            \(all.refusedByMeters)
            """)
        if !all.violations.isEmpty { throw ExitCode(1) }
    }
}
