import NIOHTTP1

/// The address by which a request came in, when the operator has one of its own (`admin_listen`).
enum Entrance: Sendable {
    /// The only one, for everything.
    case only
    /// What clients need.
    case clients
    /// Everything. A Unix socket is for whoever its file lets in, so who comes by it is the operator.
    case operators

    func serves(_ endpoint: Endpoint) -> Bool { self != .clients || endpoint.isForClients }
}

/// The front door of the present configuration, by one address.
struct EntranceGate: RequestGate {
    let door: CurrentFrontDoor
    let entrance: Entrance

    var limits: GateLimits {
        let limits = door.value.limits
        // The operator comes in when clients have taken all that is theirs, and takes nothing of it.
        let connections =
            entrance == .operators ? min(limits.connections, Self.operatorConnections) : limits.connections
        return GateLimits(connections: connections, body: limits.body, shutdownGrace: limits.shutdownGrace)
    }

    /// Of the operator's address: scrapers, a dashboard's viewers, scripts.
    static let operatorConnections = 128

    func receive(_ head: HTTPRequestHead, bodyLength: Int?, from peer: ClientPeer) -> any RequestTicket {
        door.value.receive(head, bodyLength: bodyLength, by: entrance)
    }

    func refusal(of fault: RequestFault, head: HTTPRequestHead?, from peer: ClientPeer) -> Response {
        let door = door.value
        return door.refusal(.of(fault), to: head, of: head.flatMap { door.caller(of: $0) })
    }
}

extension EntranceGate {
    /// Of a door that stays.
    init(_ door: FrontDoor, entrance: Entrance = .only) {
        self.init(door: CurrentFrontDoor(door), entrance: entrance)
    }
}
