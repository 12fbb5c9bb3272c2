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
    /// Takes a permit of an upstream that is available, or one of a last resort.
    mutating func admit(_ index: Int, model: String, isLastResort: Bool, at now: Duration) -> UpstreamState.Pass
    /// The answer has begun.
    mutating func begun(_ index: Int, _ pass: UpstreamState.Pass, at now: Duration) -> UpstreamState.Pass
    /// Gives the permit back.
    mutating func end(_ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double)
}

/// What a routing decision depends on.
package struct UpstreamView: Sendable {
    /// Of the upstream itself.
    package var own: Availability
    /// Of the model there.
    package var model: Availability
    /// The last counted attempt at either failed.
    package var isFailing: Bool

    package init(own: Availability, model: Availability, isFailing: Bool) {
        self.own = own
        self.model = model
        self.isFailing = isFailing
    }
}

extension UpstreamState {
    package func view(of model: String, at now: Duration) -> UpstreamView {
        UpstreamView(own: availability(at: now), model: availability(of: model, at: now), isFailing: isFailing(model))
    }

    /// As `UpstreamTable.lastResort`.
    package func lastResort(for model: String, at now: Duration) -> Duration? {
        guard let since = restsSince(now, model), allowsLastResort(for: model, at: now) else { return nil }
        return since
    }
}
