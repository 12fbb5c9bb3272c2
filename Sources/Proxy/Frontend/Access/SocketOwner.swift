import NIOCore
import Synchronization

/// Which user owns the other end of a connection from this machine.
enum SocketOwner {
    /// The user who owns the peer's socket while it is connected, as the kernel says now; nil when it does not say.
    static func ofPeer(_ peer: ClientRequest.Peer) async -> UInt32? {
        guard let remote = peer.remote.map(withoutMapping), let own = peer.local.map(withoutMapping) else { return nil }
        switch SocketDiagnosis.owner(of: remote, connectedTo: own) {
        case .owner(let user): return user
        case .nobody: return nil
        case .unavailable: return await SocketTable.shared.owner(of: remote, connectedTo: own)
        }
    }

    /// An IPv4 address as an IPv6 socket sees it (`::ffff:127.0.0.1`) is the IPv4 address.
    static func withoutMapping(_ address: SocketAddress) -> SocketAddress {
        guard let bytes = address.packed, bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF,
            let port = address.port, let plain = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes[12...]), port: port)
        else { return address }
        return plain
    }
}

/// Remembers whose the other end of one connection is. That does not change, so it is looked up once, when somebody wants to know.
final class PeerOwner: Sendable {
    private let answer = Mutex<UInt32??>(nil)

    /// What `look` has said the first time. The requests of a connection come one after the other, so nobody asks meanwhile.
    func value(_ look: () async -> UInt32?) async -> UInt32? {
        if let known = answer.withLock({ $0 }) { return known }
        let owner = await look()
        answer.withLock { $0 = .some(owner) }
        return owner
    }
}
