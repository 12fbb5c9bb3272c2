import ProxyCluster

/// Something that instances tell each other.
protocol SharedNews: Sendable {
    /// What has been found out here since the last call.
    func told(_ clock: EngineClock) async -> [News]
    /// What others have found out. What is somebody else's is left to them.
    func hear(_ change: NewsBoard.Change, _ clock: EngineClock) async
}

/// The engine's time at a moment here. Wall clocks of instances differ; this one is the same for all.
struct EngineClock: Equatable, Sendable {
    /// Of the monotonic clock.
    let now: Duration
    /// Milliseconds since 1970.
    let time: Int64

    /// - Parameter moment: of the monotonic clock.
    func time(of moment: Duration) -> Int64 { time + (moment - now).milliseconds }

    /// What is left until a moment of the engine's time; negative when that has passed.
    func left(until moment: Int64) -> Duration { .milliseconds(moment - time) }
}
