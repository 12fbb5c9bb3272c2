/// How much a tenancy takes over time before it answers 429. Nobody tells the proxy.
struct Ceiling: Sendable {
    enum Measure: Sendable { case inFlight, perSecond }

    struct Step: Sendable {
        /// Whole seconds from the start of the run.
        let from: Int
        /// Requests, or requests a second.
        let value: Double
    }

    let measure: Measure
    /// In order; the first from 0.
    let steps: [Step]

    func value(inSecond second: Int) -> Double {
        (steps.last { $0.from <= second } ?? steps[0]).value
    }
}
