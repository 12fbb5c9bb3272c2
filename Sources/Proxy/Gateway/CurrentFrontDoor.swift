import NIOHTTP1
import Synchronization

/// The front door of the present configuration. Each request comes in by that of its moment and stays with it.
final class CurrentFrontDoor: RequestGate {
    private let door: Mutex<FrontDoor>

    init(_ door: FrontDoor) { self.door = Mutex(door) }

    var value: FrontDoor { door.withLock { $0 } }

    /// Requests that arrive from now on come in by another door.
    func replace(with new: FrontDoor) { door.withLock { $0 = new } }

    // MARK: RequestGate

    var limits: GateLimits {
        let limits = value.limits
        return GateLimits(connections: limits.connections, body: limits.body, shutdownGrace: limits.shutdownGrace)
    }

    func receive(_ head: HTTPRequestHead, bodyLength: Int?, from peer: ClientPeer) -> any RequestTicket {
        value.receive(head, bodyLength: bodyLength)
    }

    func refusal(of fault: RequestFault, head: HTTPRequestHead?, from peer: ClientPeer) -> Response {
        value.refusal(.of(fault), to: head)
    }
}
