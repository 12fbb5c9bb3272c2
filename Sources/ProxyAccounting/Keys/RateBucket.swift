/// How much somebody may still use a minute, without a clock of its own: a bucket that holds a minute's worth, is full
/// at first and fills evenly (the generic cell rate algorithm). A limit that changes applies to what is in it as a
/// share.
///
/// What is taken may be corrected when it is known. So a bucket may go into debt; then nothing is let in until it is
/// out of it.
package struct RateBucket: Equatable, Sendable {
    /// What a look into a bucket says.
    package struct Standing: Equatable, Sendable {
        /// A minute, at least 1.
        package let limit: Int
        /// What would be let in right now.
        package let remaining: Int
        /// Until the bucket is full; more than a minute when it is in debt.
        package let fullIn: Duration
        /// Until there is room for what is asked for; nil when there is, or when it has been taken.
        package let refusedFor: Duration?
    }

    private static let minute = Duration.seconds(60)
    /// No debt lasts longer: a count that cannot be true must not close a key for good.
    private static let longestDebt = Duration.seconds(3_600)

    /// The moment at which the bucket is full again; in the past when it is.
    private var fullAt: Duration?

    package init() {}

    /// Takes an amount out, if there is as much.
    ///
    /// What is more than the whole bucket is let in when the bucket is full, since it never could be else, and puts it
    /// into debt.
    ///
    /// - Parameters:
    ///   - amount: less than 1 counts as 1.
    ///   - limit: a minute, at least 1.
    ///   - now: never before an earlier call's.
    package mutating func take(_ amount: Int64, limit: Int, at now: Duration) -> Standing {
        let before = standing(for: amount, limit: limit, at: now)
        guard before.refusedFor == nil else { return before }
        add(max(amount, 1), limit: limit, at: now)
        return standing(for: 0, limit: limit, at: now).taken
    }

    /// Takes what was used beyond an earlier amount, whether it is there or not; or gives back what was not used, while
    /// there is room.
    ///
    /// - Parameters:
    ///   - difference: used, less what was taken.
    ///   - limit: that of the earlier amount, so that its share is what is given back.
    package mutating func correct(by difference: Int64, limit: Int, at now: Duration) {
        add(difference, limit: limit, at: now)
    }

    private mutating func add(_ amount: Int64, limit: Int, at now: Duration) {
        let missing = missing(at: now) + Self.time(amount, limit)
        fullAt = now + min(max(missing, .zero), Self.longestDebt)
    }

    /// What `take` would meet.
    package func standing(for amount: Int64 = 1, limit: Int, at now: Duration) -> Standing {
        let missing = missing(at: now)
        let room = max(Self.minute - missing, .zero)
        let remaining = Int(room.attoseconds * Self.bounded(Int64(limit)) / Self.minute.attoseconds)
        let needed = min(Self.time(max(amount, 1), limit), Self.minute)
        return Standing(
            limit: limit, remaining: min(remaining, limit), fullIn: missing,
            refusedFor: missing + needed > Self.minute ? missing + needed - Self.minute : nil)
    }

    private func missing(at now: Duration) -> Duration { fullAt.map { max($0 - now, .zero) } ?? .zero }

    /// The time in which as much flows in.
    private static func time(_ amount: Int64, _ limit: Int) -> Duration {
        Duration(attoseconds: minute.attoseconds * bounded(amount) / bounded(Int64(limit)))
    }

    /// Nobody uses more, and products of it and a minute's attoseconds fit into 128 bits.
    private static func bounded(_ amount: Int64) -> Int128 {
        let most: Int64 = 1_000_000_000_000_000
        return Int128(min(max(amount, -most), most))
    }
}

extension RateBucket.Standing {
    fileprivate var taken: RateBucket.Standing {
        RateBucket.Standing(limit: limit, remaining: remaining, fullIn: fullIn, refusedFor: nil)
    }
}
