/// What becomes of a batch after each try: the rules of OTLP over HTTP, as a value.
package struct RetryPlan: Hashable, Sendable {
    /// What a try met.
    package enum Result: Hashable, Sendable {
        /// - `retryAfter`: what the answer's header says, from now on.
        case answered(status: Int, retryAfter: Duration?)
        /// No answer: refused, cut off, timed out.
        case failed
    }

    package enum Verdict: Hashable, Sendable {
        case accepted
        /// The next try, not before that moment.
        case again(at: Duration)
        /// It is dropped. The collector does not want to be asked before `quietUntil`, if that is set.
        case drop(ExportFigures.Reason, quietUntil: Duration?)
    }

    /// Tries of one batch.
    package var tries = 5
    /// The first pause; each further one is twice as long, up to `longestPause`.
    package var firstPause = Duration.seconds(1)
    package var longestPause = Duration.seconds(10)
    /// For how long a collector is believed that says `Retry-After`.
    package var longestQuiet = Duration.seconds(600)

    package init() {}

    /// - Parameters:
    ///   - tries: made so far, this one with them.
    ///   - now: when the try was over.
    ///   - end: when the batch must be through with all its tries.
    ///   - random: 0..<1, so that many proxies do not come back together.
    package func verdict(
        on result: Result, afterTries tries: Int, at now: Duration, end: Duration, random: Double
    ) -> Verdict {
        var asked: Duration?
        if case .answered(let status, let retryAfter) = result {
            switch status {
            case 200..<300: return .accepted
            case 429, 502, 503, 504: asked = retryAfter.map { min(max($0, .zero), longestQuiet) }
            default: return .drop(.refused, quietUntil: nil)
            }
        }
        let moment = now + (asked ?? pause(afterTries: tries, random: random))
        guard tries < self.tries, moment < end else {
            return .drop(.unavailable, quietUntil: asked.map { now + $0 })
        }
        return .again(at: moment)
    }

    /// Half of it is fixed, half is left to chance.
    private func pause(afterTries tries: Int, random: Double) -> Duration {
        var pause = firstPause
        for _ in 1..<max(tries, 1) where pause < longestPause { pause = pause * 2 }
        return min(pause, longestPause) * (0.5 + min(max(random, 0), 1) / 2)
    }
}
