import NIOCore

/// Which user owns the other end of a connection from this machine.
enum SocketOwner {
    /// The user who owns the peer's socket while it is connected, as the kernel says now; nil when it does not say.
    static func ofPeer(_ peer: ClientPeer) async -> UInt32? {
        guard let remote = peer.remote.map(withoutMapping), let own = peer.local.map(withoutMapping) else { return nil }
        switch SocketDiagnosis.owner(of: remote, connectedTo: own) {
        case .owner(let user): return user
        case .nobody: return nil
        case .unavailable: return await SocketTable.shared.owner(of: remote, connectedTo: own)
        }
    }

    /// Who listens at an address of this machine.
    enum Listener: Equatable, Sendable {
        case user(UInt32)
        case nobody
        /// This system does not tell.
        case unknown
    }

    /// The user whose process listens at an address of this machine, as the kernel says now.
    static func ofListener(at address: SocketAddress) -> Listener {
        let address = withoutMapping(address)
        switch SocketDiagnosis.ownerOfListener(at: address) {
        case .owner(let user): return .user(user)
        case .nobody: return .nobody
        case .unavailable: return SocketTable.ownerOfListener(at: address).map { .user($0) } ?? .unknown
        }
    }

    /// An IPv4 address as an IPv6 socket sees it (`::ffff:127.0.0.1`) is the IPv4 address.
    static func withoutMapping(_ address: SocketAddress) -> SocketAddress {
        guard let bytes = address.packed, bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF,
            bytes[11] == 0xFF,
            let port = address.port,
            let plain = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes[12...]), port: port)
        else { return address }
        return plain
    }
}
