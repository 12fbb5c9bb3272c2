import NIOCore
import NIOHTTP1
import Synchronization

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

    private let claim: Mutex<RequestClaims.Claim>

    init(head: HTTPRequestHead, body: [UInt8], door: FrontDoor, admission: Admission, peer: Peer, claim: RequestClaims.Claim = .none) {
        self.claim = Mutex(claim)
        self.head = head
        self.body = body
        self.door = door
        self.admission = admission
        self.peer = peer
    }

    /// The request is answered. Who holds it for longer keeps nobody else out, the next request of its connection least of all.
    func giveBackClaim() { claim.withLock { door.claims.giveBack(&$0) } }

    deinit {
        giveBackClaim()
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
