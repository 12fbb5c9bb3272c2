import NIOCore

/// Runs a task's steps on an event loop, so that a chunk that arrives there is translated and written without waking another
/// thread: thread wake-ups are most of what a streamed chunk costs.
///
/// Steps wait in a line of the executor's own, so that all of one turn share one of the loop's tasks: each of those costs more than many a step. A step
/// that follows at once from another waits there too. To run those on the spot was tried, and made a request a tenth dearer: requests that arrive together go
/// through their steps together, and find the code of each in the CPU's cache.
///
/// Only for steps that are short. A signature belongs on the concurrency pool.
final class EventLoopExecutor: TaskExecutor {
    let eventLoop: any EventLoop
    private let line: NIOLoopBoundBox<Line>

    /// The steps that wait for their turn, on the event loop.
    private final class Line {
        var waiting: [UnownedJob] = []
        var running: [UnownedJob] = []
        /// A task of the loop will run what waits.
        var hasTurn = false
    }

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        line = .makeBoxSendingValue(Line(), eventLoop: eventLoop)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard eventLoop.inEventLoop else {
            return eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
        let line = line.value
        line.waiting.append(job)
        if !line.hasTurn { askForTurn(line) }
    }

    private func askForTurn(_ line: Line) {
        line.hasTurn = true
        eventLoop.execute { self.takeTurn() }
    }

    /// Steps that each follow from the one before, until the loop's other tasks get their turn. From a request's arrival until it has been sent to
    /// an upstream it takes three.
    private static let stepsInTurn = 8

    private func takeTurn() {
        let line = line.value
        for _ in 0..<Self.stepsInTurn where !line.waiting.isEmpty {
            swap(&line.waiting, &line.running)
            for job in line.running { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            line.running.removeAll(keepingCapacity: true)
        }
        line.hasTurn = false
        if !line.waiting.isEmpty { askForTurn(line) }
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

/// One for each event loop of a group.
struct EventLoopExecutors: Sendable {
    private let all: [ObjectIdentifier: EventLoopExecutor]

    init(of group: any EventLoopGroup) {
        all = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map { (ObjectIdentifier($0), EventLoopExecutor($0)) })
    }

    /// That of the loop: one of its own when the loop is not of the group.
    func executor(on loop: any EventLoop) -> EventLoopExecutor {
        all[ObjectIdentifier(loop)] ?? EventLoopExecutor(loop)
    }
}
