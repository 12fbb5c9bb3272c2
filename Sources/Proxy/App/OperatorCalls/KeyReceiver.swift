import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// To whom an administrator's key may be sent. A program of any user can listen where a proxy that is stopped would.
struct KeyReceiver: Sendable {
    /// Users whose processes may have the key.
    let trusted: Set<uid_t>
    /// Of the listener at an address of this machine.
    var listener: @Sendable (SocketAddress) -> SocketOwner.Listener = SocketOwner.ofListener
    /// Of a file; nil when there is none to be seen.
    var fileOwner: @Sendable (String) -> uid_t? = { SystemCall.status(of: $0)?.st_uid }
    var nameOfUser: @Sendable (uid_t) -> String = SystemCall.userName

    /// Trusted are this user, root, and the owners of some files, such as the configuration, who say anyway where the proxy is to be found.
    init(ownersOf files: [String]) {
        trusted = Set([geteuid(), 0] + files.compactMap { SystemCall.status(of: $0)?.st_uid })
    }

    init(
        trusted: Set<uid_t>, listener: @escaping @Sendable (SocketAddress) -> SocketOwner.Listener,
        fileOwner: @escaping @Sendable (String) -> uid_t? = { _ in nil },
        nameOfUser: @escaping @Sendable (uid_t) -> String = { "\($0)" }
    ) {
        self.trusted = trusted
        self.listener = listener
        self.fileOwner = fileOwner
        self.nameOfUser = nameOfUser
    }

    /// The user that scripts/install makes for the service: none but root can have made it.
    private static let serviceUser = "ociai-proxy"

    /// Why whoever is at an address may not have the key; nil when nothing speaks against it. The text ends the sentence "The key was not sent: ...".
    ///
    /// TLS shows who answers by itself. Of another machine nothing can be told.
    func objection(to address: OperatorAddress) -> String? {
        switch address {
        case .unix(let path):
            guard let owner = fileOwner(path), let stranger = stranger(owner) else { return nil }
            return "the socket belongs to the user \(stranger)"
        case .host(_, _, isTLS: true): return nil
        case .host(let host, let port, isTLS: false):
            for place in Self.places(host, port) {
                switch listener(place) {
                case .user(let owner):
                    if let stranger = stranger(owner) {
                        return "a program of the user \(stranger) listens there, who is neither you nor the proxy's"
                    }
                case .nobody where place.isLoopback && Self.isOnly(host):
                    return "it cannot be told whose program listens there"
                case .nobody, .unknown: break
                }
            }
            return nil
        }
    }

    /// - Returns: the name of a user who is not trusted.
    private func stranger(_ user: uid_t) -> String? {
        guard !trusted.contains(user) else { return nil }
        let name = nameOfUser(user)
        return name == Self.serviceUser ? nil : name
    }

    /// A name may be that of two addresses, of which one is listened at.
    private static func isOnly(_ host: String) -> Bool { !host.lowercased().hasPrefix("localhost") }

    private static func places(_ host: String, _ port: Int) -> [SocketAddress] {
        let hosts = isOnly(host) ? [host] : ["127.0.0.1", "::1"]
        return hosts.compactMap { try? SocketAddress(ipAddress: $0, port: port) }
    }
}
