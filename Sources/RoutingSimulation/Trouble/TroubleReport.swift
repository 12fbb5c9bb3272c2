/// Runs strategies through troubles, over several seeds, and prints what came of it.
package struct TroubleReport: Sendable {
    package struct Row: Sendable {
        package let strategy: String
        package let trouble: Trouble
        /// One run for each seed.
        package let runs: [TroubleFigures]
    }

    package let rows: [Row]

    package init(_ contenders: [Contender], _ troubles: [Trouble], seeds: ClosedRange<UInt64>) {
        rows = troubles.flatMap { trouble in
            contenders.map { contender in
                let runs = seeds.map { seed in
                    var simulation = TroubleSimulation(trouble, seed: seed, contender)
                    return simulation.run()
                }
                return Row(strategy: contender.name, trouble: trouble, runs: runs)
            }
        }
    }

    /// A Markdown table. Pairs are over the seeds.
    package var markdown: String {
        var table = MarkdownTable([
            "trouble", "strategy", "seeds", "requests", "of the oracle %: mean / 1 of 100 / worst", "breakers opened",
            "out of time %", "429 %",
            "lingers s: mean / worst",
        ])
        for row in rows { table.add(Self.cells(row)) }
        return table.text
    }

    private static func cells(_ row: Row) -> [String] {
        let runs = row.runs
        let shares = runs.map { 100 * $0.share }.sorted()
        let attempts = Double(max(runs.reduce(0) { $0 + $1.attempts }, 1))
        let lingers = runs.map(\.lingers.inSeconds)
        return [
            row.trouble.rawValue, row.strategy, "\(runs.count)", "\(runs.reduce(0) { $0 + $1.requests })",
            "\(mean(shares).decimal(1)) / \(shares[shares.count / 100].decimal(1)) / \(shares[0].decimal(1))",
            "\(runs.reduce(0) { $0 + $1.opened })",
            (100 * Double(runs.reduce(0) { $0 + $1.outOfTime }) / attempts).decimal(2),
            (100 * Double(runs.reduce(0) { $0 + $1.throttled }) / attempts).decimal(1),
            mean(lingers).decimal(2) + " / " + (lingers.max() ?? 0).decimal(1),
        ]
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
