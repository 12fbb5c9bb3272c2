/// Runs `operation` in a task of its own and waits for it.
///
/// The memory of a task is that of its deepest moment, and is held until the task ends. A chat's request goes deep (parsing, translation, signatures,
/// attempts) and then waits for a stream, maybe for an hour: so the deep part runs here, and its memory goes with it (docs/decisions/0007).
///
/// Cancelling the caller cancels the operation.
nonisolated(nonsending) func inTaskOfItsOwn<Success>(
    _ operation: nonisolated(nonsending) @escaping () async throws -> Success
) async throws -> Success {
    // nonisolated(unsafe): this task does nothing until the other has ended.
    nonisolated(unsafe) let operation = operation
    nonisolated(unsafe) var success: Success?
    async let end: Void = { unsafe success = try await operation() }()
    try await end
    guard let success = unsafe success else { throw CancellationError() }
    return success
}
