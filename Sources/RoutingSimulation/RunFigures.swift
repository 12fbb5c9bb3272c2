/// What came of one run.
package struct RunFigures: Equatable, Sendable {
    /// The seconds in which at least one account was out.
    package struct Outage: Equatable, Sendable {
        package let seconds: Int
        package let arrivals: Int
        package let attempts: Int
        /// Arrivals and further attempts of a second, as a multiple of its arrivals: the worst.
        package let worstMultiple: Double
        /// Attempts at accounts that were out.
        package let deadAttempts: Int
        /// The most of them in one second.
        package let mostDeadAttempts: Int
    }

    package let arrivals: Int
    package let completed: Int
    package let failed: Int
    /// What `Oracle` would have completed.
    package let oracle: Double
    package let attempts: Int
    /// Attempts that were answered with 429.
    package let rateLimited: Int
    /// Of one request.
    package let mostAttempts: Int
    /// The time that a request spends in the line, all its attempts together.
    package let waitP99: Duration
    package let worstWait: Duration
    /// Nil when no account was ever out.
    package let outage: Outage?
    /// In the line when every request had ended: none, if the books balance.
    package let leftWaiting: Int
    /// Permits that were not given back by then: likewise.
    package let leftInFlight: Int
    /// No limit was ever exceeded.
    package let limitsKept: Bool
}
