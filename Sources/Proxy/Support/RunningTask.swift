/// A task that somebody else may cancel while it runs.
///
/// Unchecked: the handle may be used by anybody as long as the task has not ended. Whoever keeps one sees to it that the task takes it away
/// before it ends, and that this and its use exclude each other: by a lock (`MovingDeadline`), or on one event loop (`RequestMailbox`).
@safe struct RunningTask: @unchecked Sendable {
    private let task: UnsafeCurrentTask

    init(_ task: UnsafeCurrentTask) { unsafe self.task = task }

    func cancel() { unsafe task.cancel() }
}
