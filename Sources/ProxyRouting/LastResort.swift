/// One request a second for each model whose upstreams all rest: breakers and cooldowns spare an upstream for
/// the sake of others, and where there are no others they must not make an outage longer than it is.
package struct LastResort: Sendable {
    package static let interval = Duration.seconds(1)

    /// A model where it is served: two providers may give theirs one name.
    private struct Service: Hashable {
        let model: String
        /// All that could serve the request, those included that have failed it.
        let upstreams: UpstreamSet

        init(_ terms: RouteRequest.Terms) {
            model = terms.model
            upstreams = terms.accepts.union(terms.haveFailed)
        }
    }

    /// When a request was let through last: those of the last second.
    private var last: [Service: Duration] = [:]

    package init() {}

    /// Who is asked: the one that has rested longest without being tried, when it has done so for a second.
    ///
    /// - Parameter restsSince: nil for an upstream that may not be asked.
    package func pick(for terms: RouteRequest.Terms, at now: Duration, _ restsSince: (Int) -> Duration?) -> Int? {
        if let last = last[Service(terms)], now - last < Self.interval { return nil }
        var best: (index: Int, since: Duration)?
        for index in terms.accepts {
            guard let since = restsSince(index), now - since >= Self.interval,
                since < best?.since ?? .seconds(Int64.max)
            else { continue }
            best = (index, since)
        }
        return best?.index
    }

    /// One has been let through.
    package mutating func note(_ terms: RouteRequest.Terms, at now: Duration) {
        if last.count >= 64 { last = last.filter { now - $0.value < Self.interval } }
        last[Service(terms)] = now
    }

    /// When the next may pass, for those who wait: a second after the last, or after the upstreams have begun to rest.
    package func nextMoment(for terms: RouteRequest.Terms, at now: Duration, _ restsSince: (Int) -> Duration?)
        -> Duration?
    {
        guard let since = terms.accepts.compactMap(restsSince).min() else { return nil }
        let rested = since + Self.interval
        let instant = max(rested, last[Service(terms)].map { $0 + Self.interval } ?? rested)
        // Nobody has passed although it was time: for want of a permit, or of a retry.
        return instant > now ? instant : now + Self.interval
    }
}
