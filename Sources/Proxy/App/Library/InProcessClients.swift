import NIOCore
import NIOHTTP1
import ProxyRouting
import ServiceLifecycle
import Synchronization

/// Answers requests of the process itself, as `Listener` does those that come by sockets: each in a task of its own, on an event loop, by the
/// front door of the moment.
final class InProcessClients: Service {
    private struct Visit: Sendable {
        let requests: RequestMailbox
        let client: ClientConnection
        let connection: InProcessConnection
    }

    private let group: any EventLoopGroup
    private let executors: EventLoopExecutors
    private let drain: Drain
    /// Nil before the first configuration is in service.
    private let door: @Sendable () -> FrontDoor?
    private let open: ClientConnections
    private let isSealed = Mutex(false)
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Visit.self)

    /// - Parameter group: the event loops of the connections to upstreams.
    init(on group: any EventLoopGroup, drain: Drain, door: @escaping @Sendable () -> FrontDoor?) {
        self.group = group
        self.drain = drain
        self.door = door
        executors = EventLoopExecutors(of: group)
        open = ClientConnections(on: group.any())
    }

    /// A chat, asked when its first event is wanted, and what is said to it.
    func events(of question: ChatQuestion) -> AsyncThrowingStream<ChatEvent, any Error> {
        let reader = ChatEventReader { try await self.ask(question.body) }
        return AsyncThrowingStream(unfolding: { try await reader.next() })
    }

    /// Sends a chat.
    ///
    /// - Parameter body: the JSON document of `POST /v1/chat/completions`.
    /// - Returns: where the response comes.
    /// - Throws: `Failure` when nobody answers here, not yet or not any more.
    func ask(_ body: [UInt8]) async throws -> InProcessConnection {
        guard let door = door() else { throw Failure.notRunning }
        let connection = InProcessConnection(on: group.next())
        let channel = InProcessChannel(connection)
        let isOpen = isSealed.withLock { isSealed in
            if !isSealed { open.add(channel) }
            return !isSealed
        }
        guard isOpen else { throw Failure.shuttingDown }
        try await connection.eventLoop.submit { [executors, arrival] in
            let client = ClientConnection(
                channel, writer: connection, executor: executors.executor(on: connection.eventLoop))
            let requests = RequestMailbox(on: connection.eventLoop)
            requests.put(door.request(forChat: body))
            requests.finish()
            arrival.yield(Visit(requests: requests, client: client, connection: connection))
        }.get()
        return connection
    }

    /// Serves until the service group stops it, then drains within `shutdown_grace`; or until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                if (try? await gracefulShutdown()) != nil { await self.stop() }
                self.arrival.finish()
            }
            for await visit in arrivals {
                group.addTask(executorPreference: visit.client.executor) { await self.serve(visit) }
            }
            // Those who are left, when the grace is over or another part of the process has failed.
            group.cancelAll()
        }
        close()
    }

    /// Nobody is let in any more, and whoever is there is told that nothing comes.
    func close() {
        isSealed.withLock { $0 = true }
        open.close()
    }

    private func serve(_ visit: Visit) async {
        await visit.requests.serve(until: visit.connection.departure.futureResult) { request in
            await request.ticket.respond(to: request, on: visit.client)
        }
        visit.client.channel.close(promise: nil)
    }

    private func stop() async {
        isSealed.withLock { $0 = true }
        open.seal()
        if await open.closed(within: door()?.limits.shutdownGrace ?? .zero) { return }
        // Before they are cancelled, so that they say why.
        drain.end()
    }
}

extension FrontDoor {
    /// The name by which requests of the process itself are limited, counted and logged, as those of clients are by the names of their keys.
    static let ownKey = "in-process"
    private static let ownCaller = Caller(name: ownKey)

    /// A chat that the process itself asks for. It shows no key.
    fileprivate func request(forChat body: [UInt8]) -> ClientRequest {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/chat/completions")
        return ClientRequest(
            head: head, body: body, ticket: admission(of: head, bodyLength: body.count), peer: ClientPeer())
    }

    private func admission(of head: HTTPRequestHead, bodyLength: Int) -> Admission {
        guard let match = endpoints.match(head.uri) else {
            return Admission(.refused(.unknownPath(head.uri)), of: head, by: self)
        }
        guard bodyLength <= limits.body else {
            return Admission(.refused(.bodyTooLarge(limit: limits.body)), of: head, by: self)
        }
        let verdict = Admission.Verdict.admitted(match, Self.ownCaller)
        var claim = RequestClaims.Claim.none
        guard let failure = self.claim(for: verdict, bodyLength: bodyLength, &claim) else {
            return Admission(verdict, of: head, claim: claim, by: self)
        }
        claims.giveBack(&claim)
        return Admission(.refused(failure), of: head, by: self)
    }
}

extension Failure {
    /// A chat is asked of a service that has not been started.
    fileprivate static let notRunning = Failure(
        .shuttingDown, "The service does not run. Ask while its run() is under way.")
}
