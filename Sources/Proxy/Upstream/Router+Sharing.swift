import ProxyRouting

/// Where several instances share the limits of upstreams.
extension Router {
    /// What an upstream is asked for at a moment.
    struct Demand: Equatable, Sendable {
        var limit: Int
        var inFlight: Int
        /// Requests in the line that it could serve.
        var waiting: Int
    }

    /// By the upstreams' places: what each is asked for.
    func demand(of places: [Int]) -> [Int: Demand] {
        let upstreams = upstreams
        return Dictionary(
            uniqueKeysWithValues: places.map { place in
                let permits = upstreams[place].assumeIsolated { $0.state.permits }
                return (
                    place, Demand(limit: permits.limit, inFlight: permits.inUse, waiting: waiting(for: place))
                )
            })
    }

    /// Takes what other instances leave of upstreams, by their places, and serves whoever waits for it.
    ///
    /// - Parameter capacities: nil where no limit is shared any more.
    func share(_ capacities: [Int: SharedCapacity?]) {
        let upstreams = upstreams
        for (place, capacity) in capacities { upstreams[place].assumeIsolated { $0.share(capacity) } }
        upstreamsChanged(capacities.keys.sorted())
    }

    /// Another instance was asked to leave an upstream, or a model of it, alone.
    ///
    /// - Parameters:
    ///   - left: how long.
    ///   - model: nil: the upstream as a whole.
    func hear(_ left: Duration, isThrottle: Bool, of place: Int, model: String?) {
        let rest = UpstreamMemory.Rest(left: left, isThrottle: isThrottle, streak: 1)
        change(place, model) { $0.hear(rest, of: model, at: $1) }
    }

    /// The breaker of an upstream, or of a model of it, has opened at another instance.
    func hearOfFailure(of place: Int, model: String?) { change(place, model) { $0.hearOfFailure(of: model, at: $1) } }

    /// Another instance has learnt how many requests of a model an upstream takes at once, from all of them.
    func hear(limitOfAll limit: Int, of place: Int, model: String) {
        change(place, model) { $0.hear(limitOfAll: limit, of: model, at: $1) }
    }

    /// - Parameter body: returns whether it has changed anything.
    private func change(
        _ place: Int, _ model: String?, _ body: @Sendable (inout UpstreamState, _ now: Duration) -> Bool
    ) {
        let (upstreams, now) = (upstreams, time.now())
        guard upstreams.indices.contains(place), upstreams[place].assumeIsolated({ $0.hear { body(&$0, now) } }) else {
            return
        }
        heard(of: place, model: model)
    }
}
