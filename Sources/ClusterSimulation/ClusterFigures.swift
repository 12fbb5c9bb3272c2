/// What was seen in a run, or the worst of many.
package struct ClusterFigures: Sendable {
    /// Sentences about what must never be.
    package var violations: [String] = []
    /// In flight under leases beyond the limit; 0 or less.
    package var overLimit = Int.min
    /// In flight beyond the limit in all: under no lease as well. Per mille of the limit.
    package var overInAll = 0
    /// Milliseconds for which an instance wanted and had nothing.
    package var longestStarved = 0
    /// Beyond a minute's worth and what has flowed in, per mille of the limit.
    package var rateOvershoot: Int64 = .min
    package var budgetOvershoot: Int64 = .min
    package var exchanges = 0
    /// Instances times milliseconds.
    package var instanceTime = 0
    package var admitted = 0
    package var refusedByMeters = 0

    package init() {}

    package var exchangesPerSecond: Double { Double(exchanges) * 1_000 / Double(max(1, instanceTime)) }

    package mutating func add(_ other: ClusterFigures) {
        violations += other.violations.prefix(10)
        overLimit = max(overLimit, other.overLimit)
        overInAll = max(overInAll, other.overInAll)
        longestStarved = max(longestStarved, other.longestStarved)
        rateOvershoot = max(rateOvershoot, other.rateOvershoot)
        budgetOvershoot = max(budgetOvershoot, other.budgetOvershoot)
        exchanges += other.exchanges
        instanceTime += other.instanceTime
        admitted += other.admitted
        refusedByMeters += other.refusedByMeters
    }
}
