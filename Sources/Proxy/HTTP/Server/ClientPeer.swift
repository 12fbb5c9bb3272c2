import NIOCore
import Synchronization

/// The two ends of a connection to a client.
struct ClientPeer: Sendable {
    var remote: SocketAddress?
    var local: SocketAddress?
    /// It speaks TLS.
    var isEncrypted = false
    /// Of the remote end's socket, once for all requests of the connection.
    let owner = PeerOwner()

    init(remote: SocketAddress? = nil, local: SocketAddress? = nil) {
        self.remote = remote
        self.local = local
    }

    /// Its remote end has no address of its own, so that the local one tells.
    var isOfUnixSocket: Bool {
        if case .unixDomainSocket = local ?? remote { true } else { false }
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
