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
    func ask(_ body: [UInt8]) async throws -> InProcessConnection { try await ask(OwnRequest(chat: body)) }

    /// Sends a request. Throws and returns the same.
    func ask(_ request: OwnRequest) async throws -> InProcessConnection {
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
            requests.put(door.receive(request))
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

/// A request that the process makes itself. It shows no key: whose it is, is known.
struct OwnRequest: Sendable {
    /// The name by which chats of the process are limited, counted and logged, as those of clients are by the names of their keys.
    static let chatKey = "in-process"
    private static let chatCaller = Caller(name: chatKey)

    let caller: Caller
    var method = HTTPMethod.GET
    /// Path and query.
    let target: String
    var body: [UInt8] = []

    init(chat body: [UInt8]) {
        self.init(by: Self.chatCaller, .POST, "/v1/chat/completions", body: body)
    }

    init(by caller: Caller, _ method: HTTPMethod, _ target: String, body: [UInt8] = []) {
        self.caller = caller
        self.method = method
        self.target = target
        self.body = body
    }
}

extension FrontDoor {
    fileprivate func receive(_ request: OwnRequest) -> ClientRequest {
        let head = HTTPRequestHead(version: .http1_1, method: request.method, uri: request.target)
        return ClientRequest(
            head: head, body: request.body, ticket: admission(of: head, request), peer: ClientPeer())
    }

    private func admission(of head: HTTPRequestHead, _ request: OwnRequest) -> Admission {
        guard let match = endpoints.match(head.uri) else {
            return Admission(.refused(.unknownPath(RequestTarget.withoutQuery(head.uri))), of: head, .none, by: self)
        }
        guard match.endpoint.methods.contains(head.method) else {
            return Admission(
                .refused(.methodNotAllowed(head.method, allowed: match.endpoint.methods)), of: head, .none, by: self)
        }
        guard request.body.count <= limits.body else {
            return Admission(.refused(.bodyTooLarge(limit: limits.body)), of: head, .none, by: self)
        }
        let verdict = Admission.Verdict.admitted(match, request.caller)
        var claim = RequestClaims.Claim.none
        guard let failure = self.claim(for: verdict, bodyLength: request.body.count, &claim) else {
            return Admission(verdict, of: head, .none, claim: claim, by: self)
        }
        claims.giveBack(&claim)
        return Admission(.refused(failure), of: head, .none, by: self)
    }
}

extension Failure {
    /// A chat is asked of a service that has not been started.
    fileprivate static let notRunning = Failure(
        .shuttingDown, "The service does not run. Ask while its run() is under way.")
}
