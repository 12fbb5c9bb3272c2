/// How many requests somebody may still make, without a clock of its own: a bucket that holds a minute's worth of them, is full at first
/// and fills evenly (the generic cell rate algorithm). A limit that changes applies to what is in it as a share.
package struct RequestBucket: Equatable, Sendable {
    /// What a look into a bucket says.
    package struct Standing: Equatable, Sendable {
        /// Requests a minute, at least 1.
        package let limit: Int
        /// Requests that would be let in right now.
        package let remaining: Int
        /// Until the bucket is full; at most a minute.
        package let fullIn: Duration
        /// Until there is room for one; nil when there is, or when this request has been let in.
        package let refusedFor: Duration?

        /// The same, where it is others that leave no room.
        package func refused(for wait: Duration) -> Standing {
            Standing(limit: limit, remaining: 0, fullIn: max(fullIn, wait), refusedFor: wait)
        }
    }

    private static let minute = Duration.seconds(60)

    /// The moment at which the bucket is full again; in the past when it is.
    private var fullAt = Duration.zero

    package init() {}

    /// Takes one request out, if there is one.
    ///
    /// - Parameters:
    ///   - limit: requests a minute, at least 1.
    ///   - now: never before an earlier call's.
    package mutating func take(limit: Int, at now: Duration) -> Standing {
        let before = standing(limit: limit, at: now)
        guard before.refusedFor == nil else { return before }
        fullAt = max(fullAt, now) + Self.minute / limit
        let after = standing(limit: limit, at: now)
        return Standing(limit: limit, remaining: after.remaining, fullIn: after.fullIn, refusedFor: nil)
    }

    /// What `take` would meet.
    package func standing(limit: Int, at now: Duration) -> Standing {
        let interval = Self.minute / limit
        let missing = max(fullAt - now, .zero)
        let room = Self.minute - missing
        return Standing(
            limit: limit, remaining: room < interval ? 0 : min(limit, Int(room.attoseconds / interval.attoseconds)),
            fullIn: missing,
            refusedFor: room < interval ? interval - room : nil)
    }
}
