import NIOCore
import Synchronization

/// The open connections of all listening sockets.
final class ClientConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        /// Who waits for one of them to end, each once.
        var waiters: [ObjectIdentifier: @Sendable () -> Void] = [:]
        var isSealed = false
    }

    private let state = Mutex(State())
    private let eventLoop: any EventLoop
    private let empty: EventLoopPromise<Void>

    /// - Parameter eventLoop: where waiting for the last connection takes place.
    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        empty = eventLoop.makePromise()
    }

    deinit { empty.fail(CancellationError()) }

    var count: Int { state.withLock { $0.channels.count } }

    /// Keeps the connection in mind until it is closed.
    func add(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { [weak channel] _ in
            guard let channel else { return }
            self.remove(channel)
        }
    }

    private func remove(_ channel: any Channel) {
        let (isLast, waiters) = state.withLock { state in
            state.channels.removeValue(forKey: ObjectIdentifier(channel))
            defer { state.waiters = [:] }
            return (state.isSealed && state.channels.isEmpty, state.waiters.values)
        }
        for wake in waiters { wake() }
        if isLast { empty.succeed() }
    }

    /// Calls `wake` once, on any thread, when the next connection has ended, whichever socket it came in by. Who asks again before takes the
    /// place of their own.
    func whenOneEnds(for waiter: AnyObject, _ wake: @escaping @Sendable () -> Void) {
        let waiter = ObjectIdentifier(waiter)
        state.withLock { $0.waiters[waiter] = wake }
    }

    /// No further connection will be added.
    func seal() {
        let isEmpty = state.withLock { state in
            state.isSealed = true
            return state.channels.isEmpty
        }
        if isEmpty { empty.succeed() }
    }

    /// Tells each connection's handlers.
    func tell(_ event: some Sendable) {
        for channel in all { channel.pipeline.fireUserInboundEventTriggered(event) }
    }

    /// Closes what is left, whatever it is doing.
    func close() {
        for channel in all { channel.close(promise: nil) }
    }

    /// Waits until the last connection is closed, after `seal`; no longer than `limit`.
    ///
    /// - Returns: whether all are closed.
    func closed(within limit: Duration) async -> Bool {
        let isClosed = eventLoop.makePromise(of: Bool.self)
        let timer = eventLoop.scheduleTask(in: TimeAmount(limit)) { isClosed.succeed(false) }
        empty.futureResult.whenComplete { _ in isClosed.succeed(true) }
        defer { timer.cancel() }
        return (try? await isClosed.futureResult.get()) ?? true
    }

    private var all: [any Channel] { state.withLock { Array($0.channels.values) } }
}
