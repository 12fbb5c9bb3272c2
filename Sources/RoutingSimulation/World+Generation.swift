import ProxyTestSupport

extension World {
    /// Makes up a world. The same arguments make the same one, whatever strategy will have to live in it.
    init(_ conditions: Conditions, random: inout SplitMix64) {
        let count = conditions.accounts
        duration = conditions.duration
        var tenancies: [Tenancy] = []
        var limits: [Int] = []
        while limits.count < count {
            let size = min([1, 1, 2, 3].randomElement(using: &random) ?? 1, count - limits.count)
            let pace = Double.random(in: 0.7...1.5, using: &random)
            let ceiling = Self.ceiling(
                changes: conditions.scenario.changesCeilings, duration: duration, random: &random)
            tenancies.append(
                Tenancy(
                    accounts: limits.count..<limits.count + size, ceiling: ceiling, pace: pace,
                    retryAfter: Bool.random(using: &random) ? nil : Int.random(in: 1...10, using: &random)))
            let fitting =
                ceiling.measure == .inFlight
                ? ceiling.steps[0].value : ceiling.steps[0].value * Request.meanLength * pace
            for _ in 0..<size {
                limits.append(
                    max(1, Int((fitting / Double(size) * random.logUniform(in: conditions.limits)).rounded())))
            }
        }
        let outages = Self.outages(conditions.scenario, accounts: count, duration: duration, random: &random)
        self.tenancies = tenancies
        accounts = tenancies.enumerated().flatMap { number, tenancy in
            tenancy.accounts.map { Account(tenancy: number, maxConcurrency: limits[$0], outages: outages[$0]) }
        }
    }

    private static func ceiling(changes: Bool, duration: Int, random: inout SplitMix64) -> Ceiling {
        let measure: Ceiling.Measure = Bool.random(using: &random) ? .inFlight : .perSecond
        let base =
            measure == .inFlight
            ? Double(Int.random(in: 4...16, using: &random)) : Double.random(in: 1...5, using: &random)
        var steps = [Ceiling.Step(from: 0, value: base)]
        guard changes else { return Ceiling(measure: measure, steps: steps) }
        var second = Int.random(in: 5...40, using: &random)
        while second < duration {
            let value = base * Double.random(in: 0.25...1.25, using: &random)
            steps.append(Ceiling.Step(from: second, value: measure == .inFlight ? max(1, value.rounded()) : value))
            second += Int.random(in: 10...40, using: &random)
        }
        return Ceiling(measure: measure, steps: steps)
    }

    /// The outages of each account, by its place.
    private static func outages(_ scenario: Scenario, accounts count: Int, duration: Int, random: inout SplitMix64)
        -> [[Outage]]
    {
        var outages = [[Outage]](repeating: [], count: count)
        let minute = duration / 3..<duration / 3 + min(60, duration / 3)
        let shuffled = (0..<count).shuffled(using: &random)
        switch scenario {
        case .steady, .ceilings, .bursts: break
        case .oneFails:
            outages[shuffled[0]] = [Outage(kind: Bool.random(using: &random) ? .fails : .refuses, seconds: minute)]
        case .oneHangs: outages[shuffled[0]] = [Outage(kind: .hangs, seconds: minute)]
        case .halfDown, .allDown:
            for (place, index) in shuffled.prefix(scenario == .allDown ? count : count / 2).enumerated() {
                outages[index] = [
                    Outage(kind: Outage.Kind.allCases[place % Outage.Kind.allCases.count], seconds: minute)
                ]
            }
        case .mixed:
            for index in shuffled {
                var second = Int.random(in: 0...600, using: &random)
                while second < duration {
                    let kind = Outage.Kind.allCases.randomElement(using: &random) ?? .fails
                    let outage = Outage(kind: kind, seconds: second..<second + Int.random(in: 20...60, using: &random))
                    outages[index].append(outage)
                    second = outage.seconds.upperBound + Int.random(in: 0...600, using: &random)
                }
            }
        }
        return outages
    }
}
