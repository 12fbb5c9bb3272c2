#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import NIOCore
import NIOPosix

/// Runs the steps of tasks that read, translate, sign or write much at once. Such a step gives way to nobody until it is done, so it has threads of its own: neither an event loop
/// nor the concurrency pool, whose few threads serve everything that is short, waits for it. The kernel shares the cores among all of them.
///
/// Steps wait for a thread in the order in which they come.
final class LargeWork: TaskExecutor {
    /// Never ends, as the concurrency pool does not.
    static let shared = LargeWork(threads: max(2, System.coreCount / 2))

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

    /// Where a task belongs that works on so many bytes; off the event loop in any case.
    static func executor(for bytes: Int) -> any TaskExecutor { bytes > threshold ? shared : globalConcurrentExecutor }

    /// Works on so many bytes: where the caller is when they are few.
    static nonisolated(nonsending) func run<Success>(on bytes: Int, _ work: () throws -> Success) async throws -> Success {
        if bytes <= threshold || isCurrent { return try work() }
        return try await withTaskExecutorPreference(shared) { try work() }
    }

    /// When the cores are short, the kernel lets the threads that serve everybody go first. No more than a little: a step here may hold what others wait for, such as the
    /// allocator's lock.
    private static func giveWay() {
        #if os(Linux)
            // Of this thread alone.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
        #endif
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in
            if !Self.isCurrent {
                Self.current.currentValue = self
                Self.giveWay()
            }
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
