import NIOCore
import NIOHTTP1

/// What decides about requests and answers them, as far as a connection knows it.
///
/// A connection knows nothing of paths, keys and errors: it asks the gate when the head of a request is there, and holds the ticket that it gets until the
/// request is over.
protocol RequestGate: Sendable {
    /// Of the configuration of the moment.
    var limits: GateLimits { get }

    /// The head of a request is there. On the connection's event loop: no waiting in here.
    ///
    /// - Parameter bodyLength: bytes of its body; nil when it comes in chunks.
    func receive(_ head: HTTPRequestHead, bodyLength: Int?, from peer: ClientPeer) -> any RequestTicket

    /// The answer to what is no request, or not yet.
    ///
    /// - Parameter head: as far as there is one.
    func refusal(of fault: RequestFault, head: HTTPRequestHead?, from peer: ClientPeer) -> Response
}

/// One request, from its head to the end of its answer.
protocol RequestTicket: AnyObject, Sendable {
    /// It will be answered by `refusal`, whatever its body says.
    var isRefused: Bool { get }
    /// Anybody will look at the body.
    var readsBody: Bool { get }
    /// Whether a long body is handed over in part, and the rest as it comes.
    var streamsBody: Bool { get }
    /// Bytes that the body may have.
    var bodyLimit: Int { get }

    /// Takes room for more of a body whose length was not told.
    ///
    /// - Returns: false when there is none; from then on the request is refused.
    func claim(bodyBytes: Int) -> Bool

    /// The answer to a request that is refused.
    func refusal() -> Response

    /// Gives back what the request has laid claim to. It may be called more than once.
    func release()

    /// Answers the request. Returns when the answer has been handed to the connection, or the client has left, which cancels the task.
    nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async
}

extension RequestTicket {
    var streamsBody: Bool { false }
}

/// What a gate says about all connections.
struct GateLimits: Sendable {
    /// Open connections.
    var connections: Int
    /// Bytes that are read at most of what is no request.
    var body: Int
    /// For requests in flight when the server stops.
    var shutdownGrace: Duration
}

/// Why the connection itself has a request refused.
enum RequestFault: Error, Equatable, Sendable {
    /// The body is larger than that many bytes.
    case bodyTooLarge(limit: Int)
    /// The body stopped arriving, or came too slowly.
    case bodyTimedOut
    /// The bytes are no HTTP/1.1 request, or their framing is ambiguous.
    case malformed
    /// The process ends before the request is whole.
    case shuttingDown
    /// Plain HTTP where TLS is spoken.
    case plainText
}
