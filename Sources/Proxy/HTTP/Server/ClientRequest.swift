import NIOCore
import NIOHTTP1

/// A request as the client sent it: whole, or with the rest of a long form still to come. A class, as everything that works on it for the length of a stream holds it: in the frames of
/// asynchronous functions a large value is copied many times over.
final class ClientRequest: Sendable {
    let head: HTTPRequestHead
    // nonisolated(unsafe): changed by `deinit` alone, when nobody else can see it.
    nonisolated(unsafe) private var bytes: [UInt8]
    /// What comes behind the body that is there; nil when that is all.
    let rest: RestOfBody?
    let ticket: any RequestTicket
    /// Where the connection comes from and where it arrived.
    let peer: ClientPeer

    init(
        head: HTTPRequestHead, body: [UInt8], rest: RestOfBody? = nil, ticket: any RequestTicket, peer: ClientPeer
    ) {
        self.head = head
        unsafe bytes = body
        self.rest = rest
        self.ticket = ticket
        self.peer = peer
    }

    var body: [UInt8] { unsafe bytes }

    deinit {
        ticket.release()
        var body: [UInt8] = []
        unsafe swap(&body, &bytes)
        BodyArrays.takeBack(body)
    }
}
