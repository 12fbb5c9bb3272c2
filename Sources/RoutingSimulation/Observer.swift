import Proxy
import ProxyRouting

/// Counts what happens in a run.
protocol Observer {
    /// An attempt has been sent.
    ///
    /// - Parameter isFurther: not the first of its request.
    mutating func noteAttempt(of number: Int, _ request: Request, at index: Int, isFurther: Bool, now: Duration)

    /// An attempt has ended.
    mutating func noteEnd(of outcome: AttemptOutcome)

    /// A request has ended.
    ///
    /// - Parameters:
    ///   - attempts: how many it made.
    ///   - waited: in the line, all attempts together.
    mutating func noteEnd(
        of number: Int, _ request: Request, isCompleted: Bool, attempts: Int, waited: Duration, now: Duration)
}
