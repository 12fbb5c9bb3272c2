#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where time comes from: the process's clocks, or a test's.
///
/// Moments are durations since an origin that stays the same for the life of the process, so that machines and shells
/// can compare and store them without being generic over a clock. Wall time appears only where a signature, a header or
/// a person sees it.
package struct TimeSource: Sendable {
    /// The monotonic moment.
    package let now: @Sendable () -> Duration
    /// Waits until the moment has come. Throws `CancellationError` as soon as the task is cancelled.
    package let sleep: @Sendable (_ until: Duration) async throws -> Void
    /// Seconds since 1970.
    package let wallClock: @Sendable () -> Int64
    /// The same in microseconds.
    package let wallMicroseconds: @Sendable () -> Int64
    /// All that must be over by some moment of this clock.
    let deadlines: DeadlineWatch

    /// - Parameters:
    ///   - lingers: whether the one task that watches deadlines sleeps on while there are none. A test that counts who sleeps wants it to end.
    ///   - noticesGaps: whether a leap of the clock means that the process stood still. A test's clock leaps all the time.
    package init(
        now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (_ until: Duration) async throws -> Void,
        wallClock: @escaping @Sendable () -> Int64, wallMicroseconds: (@Sendable () -> Int64)? = nil,
        lingers: Bool = false, noticesGaps: Bool = false
    ) {
        self.wallMicroseconds = wallMicroseconds ?? { wallClock() * 1_000_000 }
        self.now = now
        self.sleep = sleep
        self.wallClock = wallClock
        deadlines = DeadlineWatch(now: now, sleep: sleep, lingers: lingers, noticesGaps: noticesGaps)
    }

    /// The system's clocks.
    package static let system: TimeSource = {
        let origin = ContinuousClock.now
        return TimeSource(
            now: { origin.duration(to: .now) },
            sleep: { try await Task.sleep(until: origin.advanced(by: $0), clock: .continuous) },
            wallClock: { Int64(time(nil)) },
            wallMicroseconds: {
                var now = timespec()
                // It is given room for one.
                unsafe clock_gettime(CLOCK_REALTIME, &now)
                return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
            }, lingers: true, noticesGaps: true)
    }()

    /// How often the process has been noticed to stand still for more than a second (`ClockGap`), at this moment perhaps. What failed while this
    /// changed speaks against nobody: bytes and goodbyes have waited in the sockets, and who waited for ours has perhaps given up.
    ///
    /// It is noticed while a deadline runs, as one does during each call to an upstream.
    var gaps: Int { deadlines.gaps }

    /// Whether that has been noticed since `instant`.
    func stoodStill(since instant: Duration) -> Bool { deadlines.hasLeapt(since: instant) }

    /// Waits for that long.
    func sleep(for duration: Duration) async throws {
        try await sleep(now() + duration)
    }
}
