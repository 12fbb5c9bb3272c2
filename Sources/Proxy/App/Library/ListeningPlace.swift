import NIOCore

/// Where a service listens, for those who wait until it does.
final class ListeningPlace: Sendable {
    /// The service has ended, or has never listened.
    struct Gone: Error, CustomStringConvertible {
        var description: String { "the service does not listen any more, or could not: run() says why" }
    }

    private let place: EventLoopPromise<[SocketAddress]>

    /// - Parameter eventLoop: where waiting takes place.
    init(on eventLoop: any EventLoop) { place = eventLoop.makePromise() }

    deinit { end() }

    /// The sockets listen.
    func begin(at addresses: [SocketAddress]) { place.succeed(addresses) }

    /// They will not begin to, if they have not yet.
    func end() { place.fail(Gone()) }

    /// - Throws: `Gone`; `CancellationError` when the task is cancelled.
    func addresses() async throws -> [SocketAddress] {
        let addresses = place.futureResult.eventLoop.makePromise(of: [SocketAddress].self)
        place.futureResult.cascade(to: addresses)
        // A future knows nothing of cancellation.
        return try await withTaskCancellationHandler {
            try await addresses.futureResult.get()
        } onCancel: {
            addresses.fail(CancellationError())
        }
    }
}
