import NIOCore
import NIOHTTP1
import NIOPosix

/// The transport over channels of SwiftNIO, HTTP/1.1 only (docs/decisions/0004-upstream-transport.md).
///
/// A request that is sent by a task on an event loop stays on that loop, with its connection: between the arrival of bytes and
/// the task that waits for them there is no lock, and no thread is woken. Each loop has connections of its own.
struct NIOTransport: HTTPTransport {
    struct Options: Hashable, Sendable {
        /// How long a connection may take to be ready, an outbound proxy and TLS included.
        var connectTimeout = TimeAmount.seconds(10)
        /// How long an unused connection is kept; zero: not at all.
        var idleTimeout = TimeAmount.seconds(50)
        /// How long after a request has begun the end of its kept connection counts as one that crossed it, so that the request is sent anew.
        var crossing = TimeAmount.seconds(5)
        /// Unused connections that are kept to one origin, on all loops together; nil: as many as become free.
        var idleConnections: Int?
        /// Answers that come compressed are unpacked, up to this many bytes each; nil: they are never asked for.
        var unpackedLimit: Int?
        /// Further certificate authorities; nil for the system's alone.
        var authorities: AuthorityFile?
        /// The only certificate that the other side may show: the first of this file, whatever name and issuer it has. Nil: any one that the
        /// authorities vouch for.
        var certificate: AuthorityFile?
        var proxies = ProxyRules.none
        /// The path of a Unix socket that all connections go to, whatever host the URL names.
        var unixSocket: String?
    }

    private let group: any EventLoopGroup
    private let connector: Connector
    private let addresses = KnownAddresses()
    private let clients: [ObjectIdentifier: NIOLoopBoundBox<LoopClient>]

    /// - Parameter group: the event loops of the front end, so that both sides share threads.
    /// - Throws: when the authorities are no certificates.
    init(group: any EventLoopGroup, options: Options) throws {
        self.group = group
        let connector = try Connector(
            timeout: options.connectTimeout, authorities: options.authorities, certificate: options.certificate,
            proxies: options.proxies, unixSocket: options.unixSocket, unpackedLimit: options.unpackedLimit,
            crossing: options.crossing)
        self.connector = connector
        let quotas = IdleQuotas(limit: options.idleConnections)
        clients = Dictionary(
            group.makeIterator().map { loop in
                (
                    ObjectIdentifier(loop),
                    .makeBoxSendingValue(
                        LoopClient(on: loop, connector: connector, idleTimeout: options.idleTimeout, quotas: quotas),
                        eventLoop: loop)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    nonisolated(nonsending) func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportResponse
    {
        try Task.checkCancellation()
        let client = try ownClient()
        let loop = client.eventLoop
        let exchange = try exchange(for: request, on: loop)
        deadline?.bind(.call { error in loop.execute { exchange.cancel(error) } })
        // Else it would be cancelled after it has been written.
        if let cause = deadline?.passed { throw MovingDeadline.Exceeded(cause: cause) }
        request.rest?.attach(exchange)
        return try await withTaskCancellationHandler {
            // Unsafe, but resumed exactly once: `UpstreamExchange` takes it out before it resumes it, and each end of an exchange does.
            unsafe try await withUnsafeThrowingContinuation { waiter in
                if loop.inEventLoop {
                    if unsafe exchange.begin(waiter) { client.value.start(exchange) }
                } else {
                    loop.execute { if unsafe exchange.begin(waiter) { client.value.start(exchange) } }
                }
            }
        } onCancel: {
            loop.execute { exchange.cancel() }
        }
    }

    /// Closes all connections; what is under way fails.
    func shutDown() async {
        for client in clients.values {
            try? await client.eventLoop.flatSubmit { client.value.shutDown() }.get()
        }
    }

    /// Connections that are open or being made.
    func openConnections() async -> Int {
        var count = 0
        for client in clients.values {
            count += (try? await client.eventLoop.submit { client.value.openCount }.get()) ?? 0
        }
        return count
    }

    /// The client on the loop that the task is running on, if it is one of ours; else on any.
    private func ownClient() throws -> NIOLoopBoundBox<LoopClient> {
        if let loop = MultiThreadedEventLoopGroup.currentEventLoop, let client = clients[ObjectIdentifier(loop)] {
            return client
        }
        guard let client = clients[ObjectIdentifier(group.next())] else {
            throw TransportError.cannotConnect("there is no event loop to connect on")
        }
        return client
    }

    private func exchange(for request: TransportRequest, on loop: any EventLoop) throws -> UpstreamExchange {
        let head =
            try request.known?.head { () throws(TransportError) in try writeHead(of: request) }
            ?? writeHead(of: request)
        return UpstreamExchange(
            RequestBytes(head, request.body, rest: request.rest, echo: request.echo), to: head.origin, on: loop,
            observer: request.observer)
    }

    private func writeHead(of request: TransportRequest) throws(TransportError) -> RequestHead {
        let address = try addresses.address(of: request.url)
        return try RequestHead(
            request, to: address, through: connector.forwarder(for: address.origin),
            unpacksAnswers: connector.unpackedLimit != nil)
    }
}
