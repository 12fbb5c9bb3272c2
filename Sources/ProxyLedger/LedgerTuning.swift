/// What only tests and measurements change.
struct LedgerTuning: Sendable {
    /// Entries that may wait to be written.
    var capacity = 65_536
    /// How long the writer gathers, unless `wakeAt` entries are there before.
    var interval = Duration.milliseconds(250)
    /// The same while the disk fails.
    var intervalWhileFailing = Duration.seconds(1)
    /// Some milliseconds of work: many requests a second share the costs of a transaction.
    var wakeAt = 512
    /// Entries in one transaction.
    var batch = 4096
    /// The pauses between the tries to write a batch. While the disk fails already, there is one try.
    var pauses: [Duration] = [.milliseconds(50), .milliseconds(250), .seconds(1)]
    /// How long SQLite waits for somebody else's lock.
    var busyTimeout = Duration.seconds(5)
    /// How long `save` and its kin wait for the writer.
    var patience = Duration.seconds(10)
    /// How long one step of a question may take.
    var readLimit = Duration.seconds(2)
    /// How long a file is checked when it is opened.
    var checkLimit = Duration.seconds(5)
    /// Whether the writer lets go of old rows by itself.
    var keepsUp = true
    /// The bytes of documents that may wait to be written.
    var documentBytes = 64 << 20
    /// How often a lock that another process has is tried.
    var lockInterval = Duration.milliseconds(200)
    /// How long the writer may get nothing done before that is shown.
    var standstill = Duration.seconds(5)
    /// Microseconds of a clock that never goes back, and that stands still while the machine sleeps.
    var steadyClock: @Sendable () -> Int64 = LedgerTuning.steady
    /// Pages that the file may have, for a disk that is full.
    var maxPages: Int?
    /// Called before each transaction, on the writer's thread: it may throw, or not return.
    var beforeWrite: (@Sendable () throws -> Void)?
    /// Called in place of sleeping between two tries.
    var pause: (@Sendable (Duration) -> Void)?

    private static let origin = SuspendingClock.now

    private static let steady: @Sendable () -> Int64 = {
        let (seconds, attoseconds) = origin.duration(to: .now).components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
