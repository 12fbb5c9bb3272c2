import NIOCore
import ProxyCluster
import Synchronization

/// Connections that are opened for a task: several when a host has several addresses. When the task is cancelled they are closed, and no
/// further one is opened.
final class Opening: Sendable {
    private struct State {
        var connections: [ChannelConnection] = []
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// - Throws: when the task has been cancelled.
    func add(_ connection: ChannelConnection) throws(EngineFailure) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.connections.append(connection) }
            return state.isCancelled
        }
        if isCancelled { throw .closed }
    }

    /// The one of this channel.
    ///
    /// - Throws: when the task has been cancelled.
    func connection(over channel: any Channel) throws(EngineFailure) -> ChannelConnection {
        guard let found = state.withLock({ $0.connections.first { $0.channel === channel } }) else { throw .closed }
        return found
    }

    func cancel() {
        let connections = state.withLock { state in
            state.isCancelled = true
            defer { state.connections = [] }
            return state.connections
        }
        for connection in connections { connection.close() }
    }
}
