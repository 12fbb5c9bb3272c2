import NIOCore

/// Runs a task's steps on an event loop, so that a chunk that arrives there is translated and written without waking another
/// thread: thread wake-ups are most of what a streamed chunk costs.
///
/// Only for steps that are short. A signature belongs on the concurrency pool.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
