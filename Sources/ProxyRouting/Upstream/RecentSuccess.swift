/// Whether an answer of the last moments vouches for an upstream, or for a model there, when an attempt fails in a way that does not say of what it speaks: a refusal in unknown
/// words, or a connection that breaks. A value without I/O.
package struct RecentSuccess: Equatable, Sendable {
    /// So much later, at most, a token that is withdrawn in unknown words speaks against its upstream. Nobody's request has a say in it: one client's many refusals are no
    /// more than one.
    package static let window = Duration.seconds(30)

    private var last: Duration?

    package init() {}

    package func vouches(at now: Duration) -> Bool { last.map { now - $0 <= Self.window } ?? false }

    package mutating func note(_ ending: AttemptEnding, at now: Duration) {
        if ending.outcome == .succeeded || ending.outcome == .abandoned && ending.firstEvent != nil { last = now }
    }
}
