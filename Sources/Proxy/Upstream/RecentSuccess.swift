/// Whether the answers of the last moments vouch for an upstream, or for a model there, when an attempt fails in a way that does not say of what it speaks: a refusal in
/// unknown words, or a connection that breaks. A value without I/O.
package struct RecentSuccess: Equatable, Sendable {
    /// So much later, at most, a token that is withdrawn speaks against its upstream.
    package static let window = Duration.seconds(30)
    /// After so many doubts without an answer between them nothing is vouched for any more.
    package static let mostDoubts = 20

    private var last: Duration?
    private var doubts = 0

    package init() {}

    package func vouches(at now: Duration) -> Bool { doubts < Self.mostDoubts && last.map { now - $0 <= Self.window } ?? false }

    package mutating func note(_ outcome: AttemptOutcome, at now: Duration) {
        if outcome == .succeeded {
            (last, doubts) = (now, 0)
        } else if outcome.isDoubtful {
            doubts &+= 1
        }
    }
}
