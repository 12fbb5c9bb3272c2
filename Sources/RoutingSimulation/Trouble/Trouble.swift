/// What a run puts the routing core through: each says what it is to be judged by (docs/decisions/0009-judging-strategies.md).
package enum Trouble: String, CaseIterable, Sendable {
    /// One to twenty times as many requests as can be answered, by clients that wait for a minute; then quiet.
    case overload
    /// The same with clients that wait for eight times what an answer takes.
    case impatient = "overload-impatient"
    /// The same with streams: a permit is held for much longer than the first event takes.
    case streams = "overload-streams"
    /// One of forty models fails, hangs, or is throttled for an hour, and clients loop on it.
    case oneBadModel = "one-bad-model"
    /// Ten times as many requests as a hidden limit lets through.
    case throttle
    /// The same, and the limit rises to four times what it was.
    case throttleRises = "throttle-rises"
    /// The same, and it falls to a quarter.
    case throttleFalls = "throttle-falls"
    /// Upstreams are away for three seconds now and then, and all of them at once.
    case restarts
    /// The proxy itself stands still for three seconds.
    case stops
}
