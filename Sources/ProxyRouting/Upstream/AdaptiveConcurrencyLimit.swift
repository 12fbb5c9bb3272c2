/// How many requests a model seems to take at once at an upstream, learnt from its refusals (429).
///
/// `max_concurrency` is an operator's guess, and the upstream's own limit is told to nobody. A refusal while others are under way says
/// "full", not "down": what it has kept goes on, and no more than that is sent. From time to time one more is tried: after a second, and
/// after ever longer pauses when that fails. One that succeeds is followed by two, by four, so that a limit that has risen is found soon
/// (docs/decisions/0010-learning-the-upstreams-limit.md).
package struct AdaptiveConcurrencyLimit: Sendable {
    package static let firstPause = Duration.seconds(1)
    package static let longestPause = Duration.seconds(15)

    /// Proof of an admission.
    package struct Pass: Equatable, Sendable {
        fileprivate let epoch: UInt32
        /// How many of the model were in flight at the upstream, with the request.
        package let rank: Int
    }

    /// What a refusal says.
    package enum Verdict: Equatable, Sendable {
        /// It takes no more than it has.
        case full
        /// It takes nothing for a while.
        case down
    }

    /// At least 1; nil when nothing was learnt, and `max_concurrency` alone counts.
    package private(set) var value: Int?
    /// Up to which more are tried, when it is time: the next round has twice as many when all of one has been answered.
    private var goal = 0
    private var step = 1
    private var pause = firstPause
    private var nextTry = Duration.zero
    /// Grows with each refusal that says something new.
    private var epoch: UInt32 = 0

    package init() {}

    package func pass(rank: Int) -> Pass { Pass(epoch: epoch, rank: rank) }

    package func hasCapacity(besides inFlight: Int, at now: Duration) -> Bool {
        guard let value else { return true }
        return inFlight < (now >= nextTry ? max(goal, value) : value)
    }

    /// When time alone allows one more; nil when it does already.
    package func recheckAt(_ now: Duration) -> Duration? { value != nil && nextTry > now ? nextTry : nil }

    /// An answer to this request would prove something.
    package func isTry(_ pass: Pass) -> Bool { value.map { pass.rank > $0 && pass.epoch == epoch } ?? false }

    /// A request was refused.
    ///
    /// - Parameters:
    ///   - inFlight: of the model at the upstream, without it.
    ///   - wait: what `retry-after` says. Nobody who counts what is under way asks for more than some seconds.
    package mutating func refused(_ pass: Pass, inFlight: Int, retryAfter wait: Duration?, at now: Duration) -> Verdict
    {
        guard inFlight > 0, (wait ?? .zero) <= Patience.limit else { return .down }
        guard pass.epoch == epoch else {
            // Of a volley that has been heard of: what is still under way is what it has kept.
            if let value { take(min(value, inFlight)) }
            return .full
        }
        epoch &+= 1
        if let value, pass.rank <= value {
            // It takes less than it did.
            take(max(1, min(inFlight, value * 7 / 8)))
            pause = Self.firstPause
        } else if let value {
            take(value)
            pause = min(pause * 2, Self.longestPause)
        } else {
            take(inFlight)
            pause = Self.firstPause
        }
        nextTry = now + max(pause, wait ?? .zero)
        return .full
    }

    /// A request was answered, or its answer has begun.
    ///
    /// - Parameter top: `max_concurrency`, at which nothing is left to be learnt.
    package mutating func answered(_ pass: Pass, top: Int, at now: Duration) {
        guard isTry(pass) else { return }
        value = pass.rank < top ? pass.rank : nil
        pause = Self.firstPause
        nextTry = now
        guard pass.rank >= goal else { return }
        step = min(step * 2, max(1, top))
        goal = pass.rank + step
    }

    /// No more than this, and one more at the next try.
    private mutating func take(_ kept: Int) {
        (value, step, goal) = (kept, 1, kept + 1)
    }

    /// `max_concurrency` has another value now.
    package mutating func topChanged(to top: Int) {
        if let value, value >= top { self.value = nil }
    }

    /// Goes on from what a process before has learnt, and tries one more soon.
    ///
    /// - Parameter top: `max_concurrency`.
    package mutating func restore(_ kept: Int, top: Int, at now: Duration) {
        guard kept >= 1, kept < top else { return }
        take(kept)
        nextTry = now + pause
    }

    package mutating func reset() {
        let epoch = epoch &+ 1
        self = AdaptiveConcurrencyLimit()
        self.epoch = epoch
    }
}
