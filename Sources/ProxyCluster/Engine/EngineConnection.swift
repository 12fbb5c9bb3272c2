/// The engine that instances share: Redis from 6 on, or Valkey.
package protocol Engine: Sendable {
    /// Opens a connection that can be asked: signed in, with its database chosen, at an engine of a version that will do.
    ///
    /// - Throws: `EngineFailure`. When the task is cancelled, nothing is left open.
    func connect() async throws -> any EngineConnection

    /// Opens one that only listens, to what is told on a channel.
    ///
    /// - Parameter hear: gets each message, on the connection's thread: it must not wait.
    /// - Throws: `EngineFailure`.
    func subscribe(to channel: String, hear: @escaping @Sendable ([UInt8]) -> Void) async throws
        -> any EngineConnection
}

/// Commands go out in order, and answers come back in that order.
package protocol EngineConnection: Sendable {
    /// - Parameters:
    ///   - command: its name and its arguments.
    ///   - limit: when it has not been answered by then, the connection is closed: what comes later would be taken for another's answer.
    /// - Returns: also what the engine refuses, as `RESP.error`.
    /// - Throws: `EngineFailure`, when no answer comes.
    func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP

    /// Returns when the connection has ended.
    func ended() async

    func close()
}

/// Why the engine does not help.
package enum EngineFailure: Error, Equatable, Sendable {
    case unreachable(String)
    case tls(String)
    /// It wants another user or password.
    case refused(String)
    /// Too old, or none of those that are known.
    case version(String)
    case timedOut
    case closed
    /// What came is no answer of such an engine.
    case malformed
    /// It is there, and does not do what it is asked to; in words that an operator can act on.
    case unable(String)

    /// For people; without an address, and without a secret.
    package var words: String {
        switch self {
        case .unreachable(let reason): "it cannot be reached: \(reason)"
        case .tls(let reason): "TLS could not be agreed on: \(reason)"
        case .refused(let reason): "it refuses this user or password: \(reason)"
        case .version(let found): "it is \(found), and must be Redis from 6.0 on, or Valkey"
        case .timedOut: "it did not answer in time"
        case .closed: "it closed the connection"
        case .malformed: "it does not speak the Redis protocol"
        case .unable(let reason): reason
        }
    }
}
