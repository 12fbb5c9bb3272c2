/// Runs strategies under the same conditions, over several seeds, and prints what came of it.
package struct Report: Sendable {
    package struct Row: Sendable {
        package let strategy: String
        package let scenario: Scenario
        package let load: Double
        /// One run for each seed.
        package let runs: [RunFigures]
    }

    package let rows: [Row]

    /// - Parameter adjust: what else is to differ from the usual conditions.
    package init(
        _ contenders: [Contender], scenarios: [Scenario], loads: [Double], seeds: ClosedRange<UInt64>,
        adjust: (inout Conditions) -> Void = { _ in }
    ) {
        var rows: [Row] = []
        for load in loads {
            for scenario in scenarios {
                for contender in contenders {
                    let runs = seeds.map { seed in
                        var conditions = Conditions(scenario, load: load, seed: seed)
                        adjust(&conditions)
                        var simulation = Simulation(conditions, contender)
                        return simulation.run()
                    }
                    rows.append(Row(strategy: contender.name, scenario: scenario, load: load, runs: runs))
                }
            }
        }
        self.rows = rows
    }

    /// A Markdown table. `mean / worst` are over the seeds.
    package var markdown: String {
        var table = MarkdownTable([
            "load", "scenario", "strategy", "of the oracle %", "failed %", "429 %", "attempts", "worst second",
            "wait p99 s", "worst wait s",
            "dead /s", "worst second",
        ])
        for row in rows { table.add(Self.cells(row)) }
        return table.text
    }

    private static func cells(_ row: Row) -> [String] {
        let runs = row.runs
        let ofOracle = runs.map { 100 * Double($0.completed) / max($0.oracle, 1) }
        let failed = runs.map { 100 * Double($0.failed) / Double(max($0.arrivals, 1)) }
        let throttled = runs.map { 100 * Double($0.rateLimited) / Double(max($0.attempts, 1)) }
        let attempts = runs.map { Double($0.attempts) / Double(max($0.arrivals, 1)) }
        let outages = runs.compactMap(\.outage)
        let dead = outages.map { Double($0.deadAttempts) / Double(max($0.seconds, 1)) }
        return [
            "\(Int((100 * row.load).rounded()))", row.scenario.rawValue, row.strategy,
            mean(ofOracle).decimal(1) + " / " + (ofOracle.min() ?? 0).decimal(1),
            mean(failed).decimal(2) + " / " + (failed.max() ?? 0).decimal(2),
            mean(throttled).decimal(1) + " / " + (throttled.max() ?? 0).decimal(1),
            mean(attempts).decimal(2) + " / " + (attempts.max() ?? 0).decimal(2),
            outages.map(\.worstMultiple).max().map { $0.decimal(2) } ?? "-",
            mean(runs.map(\.waitP99.inSeconds)).decimal(1),
            (runs.map(\.worstWait.inSeconds).max() ?? 0).decimal(1),
            outages.isEmpty ? "-" : mean(dead).decimal(2),
            outages.map(\.mostDeadAttempts).max().map { "\($0)" } ?? "-",
        ]
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
