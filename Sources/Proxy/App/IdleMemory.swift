import ServiceLifecycle

/// Has the allocator give back what has been freed, when a time of much use is over. By itself it keeps what lies between things that are still
/// in use: a gigabyte after ten thousand half heads, for good.
struct IdleMemory: Service {
    /// How often the process looks at itself.
    static let interval = Duration.seconds(10)

    let time: TimeSource
    var resident: @Sendable () -> Int? = { MemoryFigures.resident }
    /// Gives what is free back to the system.
    let trim: @Sendable () -> Void

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var rule = TrimRule()
            while (try? await time.sleep(for: Self.interval)) != nil {
                guard let before = resident(), rule.shouldTrim(resident: before) else { continue }
                trim()
                rule.trimmed(to: resident() ?? before)
            }
        }
    }
}

/// When it is worth the time, which is some milliseconds for each gigabyte: a value without I/O.
struct TrimRule {
    /// Bytes more than after the last time that may stay.
    static let slack = 32 << 20

    private var last = 0
    private var least = Int.max

    /// Whether there is more than there was after the last time by a quarter and `slack`, and it grows no more.
    mutating func shouldTrim(resident: Int) -> Bool {
        defer { last = resident }
        if least == .max { least = resident }
        least = min(least, resident)
        return resident <= last && resident > least + least / 4 + Self.slack
    }

    /// What was left, which may be in use.
    mutating func trimmed(to resident: Int) { least = resident }
}
