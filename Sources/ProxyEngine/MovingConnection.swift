import ProxyCluster
import Synchronization

/// A connection to an engine that may be one of a cluster. When it says that another one has the keys, that one is asked, from then on:
/// once for each command. Whoever asks knows nothing of it; an error that stays is answered as any other.
///
/// A script that was loaded at the first node is not known to the other one, which says so (`NOSCRIPT`).
final class MovingConnection: EngineConnection {
    private struct State {
        var present: ChannelConnection
        var place: RedisEngine.Place
        var isClosed = false
    }

    private let state: Mutex<State>
    private let open: @Sendable (RedisEngine.Place, Duration) async throws -> ChannelConnection

    /// - Parameter open: opens a connection within a time, with the same user and the same authorities.
    init(
        _ connection: ChannelConnection, to place: RedisEngine.Place,
        open: @escaping @Sendable (RedisEngine.Place, Duration) async throws -> ChannelConnection
    ) {
        state = Mutex(State(present: connection, place: place))
        self.open = open
    }

    func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP {
        let end = ContinuousClock.now + limit
        let (asked, place) = state.withLock { ($0.present, $0.place) }
        let answer = try await asked.ask(command, within: limit)
        guard let redirect = Redirect(answer), let other = place.following(redirect) else { return answer }
        let next = try await move(from: asked, to: other, within: end - .now)
        return try await next.ask(command, within: end - .now)
    }

    private func move(from old: ChannelConnection, to place: RedisEngine.Place, within limit: Duration) async throws
        -> ChannelConnection
    {
        // Another command may have been sent on meanwhile.
        if let moved = state.withLock({ $0.present === old ? nil : $0.present }) { return moved }
        let new: ChannelConnection
        do {
            new = try await open(place, limit)
        } catch {
            // What comes of this one would have to be sent on, too.
            close()
            throw EngineFailure.unable(
                "the node of its cluster that has the keys does not help: \(EngineFailure(error).words). "
                    + "Its address is told by the others (cluster-announce-ip)")
        }
        let (present, isClosed) = state.withLock { state in
            if !state.isClosed, state.present === old { (state.present, state.place) = (new, place) }
            return (state.present, state.isClosed)
        }
        if present !== new { new.close() }
        if isClosed { throw EngineFailure.closed }
        if present === new { old.close() }
        return present
    }

    func ended() async {
        while true {
            let present = state.withLock(\.present)
            await present.ended()
            if state.withLock({ $0.present === present }) { return }
        }
    }

    func close() {
        let present = state.withLock { state in
            state.isClosed = true
            return state.present
        }
        present.close()
    }
}
