/// What happens in one run, all of it drawn from its seed. Times are milliseconds of true time, which nobody in the run can see.
package struct ClusterScenario: Sendable {
    package struct Object: Sendable {
        package var name: String
        package var limit: Int
    }

    package enum Fault: String, Sendable, CaseIterable {
        /// An instance is gone, and what it had in flight with it. Another one starts in its place later.
        case crash
        /// An instance is stopped, and goes on later.
        case pause
        /// An instance and the engine do not reach each other.
        case partition
        /// What an instance says reaches the engine, and no answer comes back.
        case answersLost
        /// The engine does not answer, and does later what has come in meanwhile.
        case engineHangs
        /// The engine is gone, and comes back with nothing.
        case engineEmptied
        /// It comes back with what it had written down some time ago.
        case engineStale
        /// A replica takes over that lacks the last second.
        case engineFailsOver
        /// `FLUSHALL`: the same server, and nothing in it.
        case engineFlushed
        /// Its wall clock is set by an hour.
        case engineClock
    }

    package struct Event: Sendable {
        package var at: Int
        package var fault: Fault
        package var instance: Int
        package var lasts: Int
    }

    package var seed: UInt64
    package var instances: Int
    package var objects: [Object]
    package var duration: Int
    package var events: [Event] = []
    /// The longest request.
    package var longest: Int
    /// Of each instance: requests a second of each object in the busiest times.
    package var busiest: Double
    /// How likely an instance's load changes within a second.
    package var unrest: Double
    package var rateLimit: Int64
    package var budget: Int64
    package var amount: Int64

    /// - Parameters:
    ///   - instances: nil draws 2 to 64.
    ///   - faults: that may happen.
    package init(seed: UInt64, instances: Int? = nil, faults: [Fault] = Fault.allCases, duration: Int = 60_000) {
        var dice = Dice(seed &* 0x2545_F491_4F6C_DD1D)
        self.seed = seed
        self.duration = duration
        let count = instances ?? [2, 3, 4, 8, 8, 8, 16, 16, 32, 64].randomElement(using: &dice) ?? 8
        self.instances = count
        objects = (0..<Int.random(in: 1...2, using: &dice)).map {
            let limit =
                dice.happens(0.2)
                ? Int.random(in: 1...count, using: &dice) : count * Int.random(in: 1...8, using: &dice)
            return Object(
                name: "account/\($0)", limit: limit + (dice.happens(0.5) ? Int.random(in: 0..<count, using: &dice) : 0))
        }
        longest = dice.happens(0.3) ? 30_000 : 3_000
        // What the first object's permits can take in a second.
        let pace = Double(objects[0].limit) * 2_000 / Double(longest)
        busiest = pace / Double(count) * Double.random(in: 0.5...8, using: &dice)
        unrest = [0.1, 0.3, 0.6].randomElement(using: &dice) ?? 0.3
        amount = dice.happens(0.5) ? 1 : Int64.random(in: 100...2_000, using: &dice)
        // Mostly meters are not what holds requests up.
        let most = Double(amount) * pace * 60 * (dice.happens(0.3) ? 0.2 : 4)
        rateLimit = max(60, Int64(most))
        budget = max(500, Int64(most * Double.random(in: 0.3...2, using: &dice)))
        guard !faults.isEmpty else { return }
        var at = 8_000
        while at < duration - 5_000 {
            guard let fault = faults.randomElement(using: &dice) else { break }
            events.append(
                Event(
                    at: at, fault: fault, instance: Int.random(in: 0..<count, using: &dice),
                    lasts: dice.happens(0.5)
                        ? Int.random(in: 50...3_000, using: &dice) : Int.random(in: 3_000...15_000, using: &dice)))
            at +=
                dice.happens(0.3)
                ? Int.random(in: 10...1_500, using: &dice) : Int.random(in: 1_500...12_000, using: &dice)
        }
    }
}
