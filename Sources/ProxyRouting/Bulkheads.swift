/// Keeps some of the process's permits free for upstreams that use few: so those that hold theirs for long, since they have fallen silent,
/// cannot starve the others.
///
/// Each upstream has a share that is its own while it is in use, and all shares together are at most an eighth of the permits: the rest is
/// for whoever comes first. An upstream that holds no less than its share takes another permit only while more are free than what the
/// shares of the others still need.
package struct Bulkheads: Sendable {
    /// The part of the permits that is kept in shares: one in so many.
    package static let part = 8

    private var shares: [Int] = []
    private var limit = 0
    /// What all upstreams together have not used of their shares.
    private var unused = 0

    package init() {}

    /// - Parameters:
    ///   - permits: of the whole process.
    ///   - limits: `max_concurrency` of each upstream by its index; nil for those that serve nobody new.
    package mutating func configure(permits: Int, limits: [Int?], inFlight: [Int]) {
        limit = permits / Self.part
        let count = max(limits.count { $0 != nil }, 1)
        shares = limits.map { $0.map { min($0, max(1, limit / count)) } ?? 0 }
        unused = zip(shares, inFlight).reduce(0) { $0 + max(0, $1.0 - $1.1) }
    }

    /// Whether all upstreams may take a permit, when so many are free.
    package func areAllOpen(free: Int) -> Bool { free > min(unused, limit) }

    /// Whether this one may.
    ///
    /// - Parameter inFlight: at the upstream.
    package func allows(_ index: Int, inFlight: Int, free: Int) -> Bool {
        free > 0 && (inFlight < shares[index] || areAllOpen(free: free))
    }

    /// - Parameter inFlight: at the upstream, with the new one.
    package mutating func taken(_ index: Int, inFlight: Int) {
        if inFlight <= shares[index] { unused -= 1 }
    }

    /// - Parameter inFlight: at the upstream, without the one that is given back.
    package mutating func givenBack(_ index: Int, inFlight: Int) {
        if inFlight < shares[index] { unused += 1 }
    }
}
