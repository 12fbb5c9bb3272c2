import ArgumentParser
import Proxy
import RoutingSimulation

#if canImport(Glibc)
    import Glibc
#endif

/// `routing-simulation`: judges balancing strategies under virtual time.
@main
struct SimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routing-simulation",
        abstract:
            "Runs the proxy's routing core against made-up accounts under virtual time, and prints how each strategy does.",
        discussion: """
            The accounts have ceilings that the core does not know, and outages. The same arguments print the same table. \
            What its columns mean and how to add a strategy: docs/decisions/0009-judging-strategies.md. \
            One dash and two dashes both work.
            """)

    @Option(
        name: .either("strategies"),
        help: "Comma separated, or all: \(Contender.all.map(\.name).joined(separator: ", ")).")
    var strategies = "all"

    @Option(
        name: .either("scenarios"),
        help: """
            Comma separated, or all: \(Scenario.allCases.map(\.rawValue).joined(separator: ", ")). \
            Or troubles, or some of them: \(Trouble.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var scenarios = "all"

    @Option(name: .either("loads"), help: "Arrivals in per cent of what the accounts could answer, comma separated.")
    var loads = "70,110"

    @Option(
        name: .either("limits"),
        help:
            "Each account's max_concurrency, as a multiple of what fits its hidden ceiling: any number from this range."
    )
    var limits = "0.5-8"

    @Option(name: .either("seeds"), help: "Runs of each: the seeds from -first-seed on.")
    var seeds = 3

    @Option(name: .either("first-seed"), help: "The first seed.")
    var firstSeed: UInt64 = 1

    @Option(name: .either("accounts"), help: "Number of accounts.")
    var accounts = 20

    @Option(name: .either("duration"), help: "Seconds of virtual time in which requests arrive.")
    var duration = 180

    func validate() throws {
        guard (1...10_000).contains(seeds) else { throw ValidationError("-seeds is a number from 1 to 10000.") }
        guard firstSeed < .max - 10_000 else { throw ValidationError("-first-seed is too large.") }
        guard (1...500).contains(accounts) else { throw ValidationError("-accounts is a number from 1 to 500.") }
        guard (10...86_400).contains(duration) else {
            throw ValidationError("-duration is a number of seconds from 10 to 86400.")
        }
        _ = try chosenContenders
        _ = try chosenCourses
        _ = try chosenLoads
        _ = try chosenLimits
    }

    func run() throws {
        let (scenarios, troubles) = try chosenCourses
        let (contenders, loads, limits) = (try chosenContenders, try chosenLoads, try chosenLimits)
        let seeds = firstSeed...firstSeed + UInt64(seeds - 1)
        var requests = 0
        if !scenarios.isEmpty {
            let report = Report(contenders, scenarios: scenarios, loads: loads, seeds: seeds) {
                $0.accounts = accounts
                $0.duration = duration
                $0.limits = limits
            }
            print(report.markdown, terminator: "")
            requests += report.rows.reduce(0) { $0 + $1.runs.reduce(0) { $0 + $1.arrivals } }
        }
        if !troubles.isEmpty {
            let report = TroubleReport(contenders, troubles, seeds: seeds)
            print(report.markdown, terminator: "")
            requests += report.rows.reduce(0) { $0 + $1.runs.reduce(0) { $0 + $1.requests } }
        }
        Self.tellCost(of: requests)
    }

    /// An upper bound of what choosing an account costs a request: the world around the core is in it too. On standard error, for
    /// standard output is the same each time.
    private static func tellCost(of requests: Int) {
        let seconds = Double(clock()) / Double(CLOCKS_PER_SEC)
        let cost = (1e6 * seconds / Double(max(requests, 1))).rounded()
        StandardStream.write(
            "\(requests) requests, \(Int(cost)) µs of CPU each, the simulated world included.\n",
            to: StandardStream.error)
    }

    private var chosenContenders: [Contender] {
        get throws { try Self.choose(strategies, from: Contender.all, named: "-strategies", \.name) }
    }

    /// The usual scenarios, which have loads, numbers of accounts and durations, and the troubles, which bring their own.
    private var chosenCourses: (scenarios: [Scenario], troubles: [Trouble]) {
        get throws {
            if scenarios == "all" { return (Scenario.allCases, []) }
            if scenarios == "troubles" { return ([], Trouble.allCases) }
            let known = Scenario.allCases.map(\.rawValue) + Trouble.allCases.map(\.rawValue)
            let names = try Self.choose(scenarios, from: known, named: "-scenarios") { $0 }
            return (names.compactMap(Scenario.init), names.compactMap(Trouble.init))
        }
    }

    private var chosenLoads: [Double] {
        get throws {
            try loads.split(separator: ",").map {
                guard let percent = Double($0), (1...1000).contains(percent) else {
                    throw ValidationError("-loads are numbers from 1 to 1000, comma separated; '\($0)' is none.")
                }
                return percent / 100
            }
        }
    }

    private var chosenLimits: ClosedRange<Double> {
        get throws {
            let ends = limits.split(separator: "-").map { Double($0) ?? 0 }
            guard ends.count == 2, ends.allSatisfy({ (0.01...1000).contains($0) }), ends[0] <= ends[1] else {
                throw ValidationError("-limits is a range of numbers from 0.01 to 1000, such as 0.5-8.")
            }
            return ends[0]...ends[1]
        }
    }

    private static func choose<Choice>(
        _ names: String, from choices: [Choice], named option: String, _ name: (Choice) -> String
    ) throws -> [Choice] {
        if names == "all" { return choices }
        return try names.split(separator: ",").map { wanted in
            guard let choice = choices.first(where: { name($0) == wanted }) else {
                throw ValidationError("\(option) knows no '\(wanted)': \(choices.map(name).joined(separator: ", ")).")
            }
            return choice
        }
    }
}

extension NameSpecification {
    /// `-name` and `--name`.
    fileprivate static func either(_ name: String) -> NameSpecification {
        [.customLong(name), .customLong(name, withSingleDash: true)]
    }
}
