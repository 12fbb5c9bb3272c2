import Synchronization

/// What upstreams are called in all instances, by their places: worked out once for each, since a place has the same upstream for ever.
final class SharedNames: Sendable {
    private let known = Mutex<[Int: String]>([:])

    /// Of those that serve.
    func names(of members: [Membership.Served]) -> [Int: String] {
        known.withLock { known in
            var names: [Int: String] = [:]
            for member in members {
                let place = member.upstream.index
                let name = known[place] ?? member.identity.sharedName(member.upstream.id)
                (known[place], names[place]) = (name, name)
            }
            return names
        }
    }
}
