import ProxyRouting
import Synchronization

/// What an attempt has to tell besides its result, gathered while it runs so that a failure or a departing client does not
/// lose it.
final class AttemptReport: Sendable {
    struct Content: Sendable {
        var usage: TokenUsage?
        /// When the first event came. From then on the client has seen a part of this answer, and no other can take its place.
        var firstEvent: Duration?
        /// Events of the upstream that could not be read and were passed over.
        var unreadableEvents = 0
        /// What the upstream has said oddly.
        var oddities = Oddities()
    }

    private let state = Mutex(Content())

    var content: Content { state.withLock { $0 } }

    /// Reads a whole answer of so many bytes where that belongs (`LargeWork`), and takes note when it is an error.
    nonisolated(nonsending) func reading<Success>(_ bytes: Int, _ read: () throws -> Success) async throws -> Success {
        do { return try await LargeWork.run(on: bytes, read) } catch let error as Failure {
            if error.isUnderSuccess { change { $0.oddities.insert(.errorAsAnswer) } }
            throw error
        }
    }

    func change(_ body: (inout Content) -> Void) {
        state.withLock { body(&$0) }
    }
}
