/// How many requests an upstream seems to take at once, learnt from its refusals (429): up by one for each round of answers, down
/// to what it kept, but at most by half for one volley of refusals.
///
/// `max_concurrency` is an operator's guess, and the upstream's own limit is told to nobody. Without an estimate the end of each
/// cooldown lets the whole line rush in, most of it is refused, and the next cooldown begins.
package struct ConcurrencyEstimate: Sendable {
    /// At least 1.
    private var value: Double
    /// Below this the volley of refusals that is under way does not bring it.
    private var floor = 1.0

    package init(limit: Int) { value = max(Double(limit), 1) }

    package func hasRoom(besides inFlight: Int) -> Bool { Double(inFlight) + 1 <= value }

    /// `max_concurrency` has another value now. Where nothing was learnt, the new one counts.
    package mutating func limitChanged(from old: Int, to new: Int) {
        value = value >= Double(old) ? max(Double(new), 1) : min(value, max(Double(new), 1))
        floor = min(floor, value)
    }

    /// A request was refused with 429.
    ///
    /// - Parameters:
    ///   - inFlight: without it. At the end of a volley: what the upstream has kept.
    ///   - isNew: the request was admitted after the last refusal.
    package mutating func throttled(inFlight: Int, isNew: Bool) {
        if isNew { floor = max(1, value / 2) }
        value = max(floor, min(value, Double(inFlight)))
    }

    /// A request was answered.
    ///
    /// - Parameters:
    ///   - inFlight: with it. Below the estimate it has proved nothing new.
    ///   - limit: `max_concurrency`.
    package mutating func succeeded(inFlight: Int, limit: Int) {
        guard Double(inFlight) + 1 > value else { return }
        value = min(value + 1 / value, max(Double(limit), 1))
    }
}
