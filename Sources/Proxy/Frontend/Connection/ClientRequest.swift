import NIOCore
import NIOHTTP1

/// A request as the client sent it, whole.
struct ClientRequest: Sendable {
    let head: HTTPRequestHead
    let body: ByteBuffer
    /// By which it came in, and which answers it.
    let door: FrontDoor
    /// What the door made of the head.
    let admission: Admission
    /// Where the connection comes from and where it arrived.
    let peer: Peer

    /// The two ends of the connection.
    struct Peer: Sendable, Equatable {
        var remote: SocketAddress?
        var local: SocketAddress?
    }
}
