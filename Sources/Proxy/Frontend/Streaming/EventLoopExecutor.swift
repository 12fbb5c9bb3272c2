import NIOCore

/// Runs a task's steps on an event loop, so that a chunk that arrives there is translated and written without waking another
/// thread: thread wake-ups are most of what a streamed chunk costs.
///
/// Each step is a task of the loop, also one that follows from another at once. To run those on the spot was tried, and made a request a tenth
/// dearer: requests that arrive together go through their steps together, and find the code of each in the CPU's cache.
///
/// Only for steps that are short. A signature belongs on the concurrency pool.
final class EventLoopExecutor: TaskExecutor {
    let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Whether the caller is on the event loop.
    var isCurrent: Bool { eventLoop.inEventLoop }

    /// Runs `operation` on the event loop. A task that is there already prefers it, and goes on without a turn of the loop: nothing else
    /// brings a task onto one.
    func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        if eventLoop.inEventLoop { return try await operation() }
        return try await withTaskExecutorPreference(self, operation: operation)
    }
}
