import NIOCore

extension EventLoopPromise<Void> {
    /// Returns when the promise has been kept.
    ///
    /// - Throws: also `CancellationError`: a future knows nothing of cancellation, and a client that takes nothing never completes a write.
    nonisolated(nonsending) func completion() async throws {
        try await withTaskCancellationHandler {
            try await futureResult.get()
        } onCancel: {
            fail(CancellationError())
        }
    }
}
