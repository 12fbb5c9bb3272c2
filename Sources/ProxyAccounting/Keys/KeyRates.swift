/// Requests and tokens a minute of one key, each in a bucket of its own.
///
/// Tokens are taken by an estimate when a request is admitted, and corrected when it has ended.
package struct KeyRates: Equatable, Sendable {
    package enum Decision: Equatable, Sendable {
        case admitted(Grant)
        /// - `until`: after which it would be let in if nobody else were.
        case refused(by: Kind, until: Duration)
    }

    package enum Kind: String, Sendable, CaseIterable { case requests, tokens }

    /// What an admitted request has taken.
    package struct Grant: Equatable, Sendable {
        let tokens: Int64
        /// That it was taken by; nil when none was set.
        let tokensPerMinute: Int?
    }

    /// How much is left, for `x-ratelimit-*`. Nil where there is no limit.
    package struct Standings: Equatable, Sendable {
        package let requests: RateBucket.Standing?
        package let tokens: RateBucket.Standing?
    }

    private var requests = RateBucket()
    private var tokens = RateBucket()

    package init() {}

    /// Takes a request and its tokens, if there is room for both. Of a refused request nothing is taken.
    ///
    /// - Parameters:
    ///   - estimate: tokens that it is expected to use. More than `tokensPerMinute` is let in when that bucket is full.
    ///   - requestsPerMinute: at least 1; nil is no limit.
    ///   - tokensPerMinute: the same of tokens.
    ///   - now: never before an earlier call's.
    package mutating func admit(
        estimate: Int64, requestsPerMinute: Int?, tokensPerMinute: Int?, at now: Duration
    ) -> Decision {
        let waits = (
            requests: requestsPerMinute.flatMap { requests.standing(limit: max($0, 1), at: now).refusedFor },
            tokens: tokensPerMinute.flatMap { tokens.standing(for: estimate, limit: max($0, 1), at: now).refusedFor }
        )
        switch waits {
        case (nil, nil): break
        case (let requests?, let tokens) where requests >= tokens ?? .zero:
            return .refused(by: .requests, until: requests)
        case (_, let tokens): return .refused(by: .tokens, until: tokens ?? .zero)
        }
        if let requestsPerMinute { _ = requests.take(1, limit: max(requestsPerMinute, 1), at: now) }
        if let tokensPerMinute { _ = tokens.take(estimate, limit: max(tokensPerMinute, 1), at: now) }
        return .admitted(Grant(tokens: max(estimate, 1), tokensPerMinute: tokensPerMinute.map { max($0, 1) }))
    }

    /// Takes what a request has used beyond its estimate, or gives back what it has not used. Once for each grant.
    ///
    /// - Parameters:
    ///   - used: its tokens; 0 when it was never sent.
    ///   - now: never before an earlier call's.
    package mutating func settle(_ grant: Grant, used: Int64, at now: Duration) {
        guard let limit = grant.tokensPerMinute else { return }
        tokens.correct(by: max(used, 0) - grant.tokens, limit: limit, at: now)
    }

    package func standings(requestsPerMinute: Int?, tokensPerMinute: Int?, at now: Duration) -> Standings {
        Standings(
            requests: requestsPerMinute.map { requests.standing(limit: max($0, 1), at: now) },
            tokens: tokensPerMinute.map { tokens.standing(limit: max($0, 1), at: now) })
    }
}
