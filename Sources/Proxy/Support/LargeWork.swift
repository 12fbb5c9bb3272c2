import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs work on many bytes that is done at one go: reading, translating, writing or signing them. It gives way to nobody until it is done, so it has threads of its own: neither an
/// event loop nor the concurrency pool, whose few threads serve everything that is short, waits for it. The kernel shares the cores among all of them,
/// and lets what is short go first.
///
/// Only such work, and nothing that awaits: an actor that is asked from here would run here, and whoever else wants it would wait behind what is large.
final class LargeWork: TaskExecutor {
    /// As many threads as half of the cores, so that the others stay free for what is short. Never ends, as the concurrency pool does not.
    static let shared = LargeWork(threads: max(1, System.coreCount / 2))

    /// Bytes that are read or translated in less than about a millisecond.
    static let threshold = 128 << 10

    private static let current = ThreadSpecificVariable<LargeWork>()

    private let pool: NIOThreadPool

    private init(threads: Int) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    /// Whether the caller is on one of its threads.
    static var isCurrent: Bool { current.currentValue != nil }

    /// Does work on so many bytes: where the caller is when they are few.
    ///
    /// - Throws: what the work throws; `CancellationError` when nobody waits for it any more at its turn.
    static nonisolated(nonsending) func run<Success>(on bytes: Int, _ work: () throws -> Success) async throws
        -> Success
    {
        if bytes <= threshold || isCurrent { return try work() }
        return try await withTaskExecutorPreference(shared) {
            try Task.checkCancellation()
            return try work()
        }
    }

    /// Has the kernel prefer all other threads to this one. A chat of a kilobyte that becomes ready while a large body is parsed would else wait for the rest
    /// of that thread's turn, which is milliseconds.
    private static func giveWay() {
        #if os(Linux)
            // On Linux the nice value belongs to a thread, and 0 is the caller's (setpriority(2)). PRIO_PROCESS is 0; glibc has it as an enumeration, musl as
            // a macro.
            setpriority(0, 0, 10)
        #endif
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in
            if Self.current.currentValue == nil {
                Self.current.currentValue = self
                Self.giveWay()
            }
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
