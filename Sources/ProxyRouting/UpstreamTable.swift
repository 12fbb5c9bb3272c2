/// The upstreams as the routing core sees them, by their index in the router's list: actors in the process, plain values in a
/// simulation. Whatever stands behind it answers at once: a routing decision never waits between a look and a grab.
package protocol UpstreamTable {
    /// How an upstream does now, and the model there.
    func view(of index: Int, model: String, at now: Duration) -> UpstreamView
    /// What else has to be known of one that rests: nil when it does not, or when it may not be asked even as a last resort.
    ///
    /// - Returns: since when it rests.
    func lastResort(_ index: Int, model: String, at now: Duration) -> Duration?
    /// In which nearly all answers come, or begin; nil when that is not known.
    func safeTime(of index: Int, model: String, isStreaming: Bool, at now: Duration) -> Duration?
    /// Permits that come back in a second; nil when that is not known.
    func pace(of index: Int, model: String, at now: Duration) -> Double?
    /// The last counted attempt at the upstream, or at the model there, failed.
    func isFailing(_ index: Int, model: String) -> Bool
    /// Takes a permit of an upstream that is available, or one of a last resort.
    ///
    /// - Returns: what the permit has to be given back with, and how the upstream does now; so do those below.
    mutating func admit(_ index: Int, model: String, isLastResort: Bool, at now: Duration) -> (
        pass: UpstreamState.Pass, view: UpstreamView
    )
    /// The answer has begun.
    mutating func begun(_ index: Int, _ pass: UpstreamState.Pass, at now: Duration) -> (
        pass: UpstreamState.Pass, view: UpstreamView
    )
    /// Gives the permit back.
    mutating func end(
        _ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double
    ) -> UpstreamView
}

/// What a routing decision depends on.
package struct UpstreamView: Sendable {
    /// Of the upstream itself.
    package var own: Availability
    /// Of the model there.
    package var model: Availability

    package init(own: Availability, model: Availability) {
        self.own = own
        self.model = model
    }
}

extension UpstreamState {
    /// As `UpstreamTable.lastResort`.
    package func lastResort(for model: String, at now: Duration) -> Duration? {
        guard let since = restsSince(now, model), allowsLastResort(for: model, at: now) else { return nil }
        return since
    }
}
