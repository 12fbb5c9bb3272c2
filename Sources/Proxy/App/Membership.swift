/// Who serves under a configuration, and who of them did so before.
struct Membership: Sendable {
    /// An upstream that the configuration names and that can be used.
    struct Candidate: Sendable {
        let identity: UpstreamIdentity
        /// As the file names it, or as it is counted in a pool.
        var id: String
        let settings: Upstream.Settings
        /// What it is when it is new, under an id of its own.
        let backend: @Sendable (_ id: String) -> any Backend
    }

    /// One that serves, by its identity.
    struct Served: Sendable {
        let identity: UpstreamIdentity
        let upstream: Upstream
    }

    /// The members for the router, in the order of the candidates.
    ///
    /// One that is there already keeps its place and its id. A new one whose id is taken by such a one gets the next number: who of a pool
    /// was first when the file was read before need not be so now.
    static func match(_ candidates: [Candidate], with before: [Served]) -> [(
        member: Router.Member, settings: Upstream.Settings
    )] {
        var left = before
        let kept = candidates.map { candidate in
            left.firstIndex { $0.identity == candidate.identity }.map { left.remove(at: $0).upstream }
        }
        var taken = Set(kept.compactMap { $0?.id.lowercased() })
        return zip(candidates, kept).map { candidate, upstream in
            if let upstream { return (.known(upstream.index), candidate.settings) }
            var id = candidate.id
            var number = 2
            while !taken.insert(id.lowercased()).inserted {
                id = "\(candidate.id)-\(number)"
                number += 1
            }
            return (.new(candidate.backend(id)), candidate.settings)
        }
    }
}
