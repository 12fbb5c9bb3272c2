import NIOCore
import NIOHTTP1

/// A request as the client sent it, whole. A class, as everything that works on it for the length of a stream holds it: in the frames of
/// asynchronous functions a large value is copied many times over.
final class ClientRequest: Sendable {
    let head: HTTPRequestHead
    //
    // nonisolated(unsafe): changed by `deinit` alone, when nobody else can see it.
    nonisolated(unsafe) private(set) var body: [UInt8]
    /// By which it came in, and which answers it.
    let door: FrontDoor
    /// What the door made of the head.
    let admission: Admission
    /// Where the connection comes from and where it arrived.
    let peer: Peer

    // nonisolated(unsafe): changed by the task that answers, and then by `deinit`.
    nonisolated(unsafe) private var claim: RequestClaims.Claim

    init(head: HTTPRequestHead, body: [UInt8], door: FrontDoor, admission: Admission, peer: Peer, claim: RequestClaims.Claim = .none) {
        self.claim = claim
        self.head = head
        self.body = body
        self.door = door
        self.admission = admission
        self.peer = peer
    }

    /// The request is over: by the task that has answered it. Who holds it for longer keeps nobody else out.
    func giveBackClaim() { door.claims.giveBack(&claim) }

    deinit {
        door.claims.giveBack(&claim)
        var body: [UInt8] = []
        swap(&body, &self.body)
        BodyArrays.takeBack(body)
    }

    /// The two ends of the connection.
    struct Peer: Sendable {
        var remote: SocketAddress?
        var local: SocketAddress?
        /// Of the remote end's socket, once for all requests of the connection.
        let owner = PeerOwner()

        init(remote: SocketAddress? = nil, local: SocketAddress? = nil) {
            self.remote = remote
            self.local = local
        }
    }
}
