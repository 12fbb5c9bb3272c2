import NIOCore
import NIOHTTP1

/// Whether a request without a key is plainly made by the operator on the machine itself.
///
/// Everything that could have carried somebody else's wish here is a reason to say no: a reverse proxy (its headers, its
/// HTTP/1.0, its own system user), and a web page in the operator's browser (a foreign origin, a name that was rebound to
/// loopback).
struct LocalAccess: Sendable {
    /// `local_access` of the configuration.
    let isEnabled: Bool
    /// The user that this process runs as.
    let ownUser: UInt32
    /// The system user that owns the peer's socket; nil when it cannot be told.
    let socketOwner: @Sendable (ClientRequest.Peer) -> UInt32?

    /// Why the request does not pass as the operator's own; nil when it does. The text ends the sentence
    /// "This endpoint needs a key unless the operator asks on the machine itself, and ...".
    func objection(to head: HTTPRequestHead, from peer: ClientRequest.Peer) -> String? {
        guard isEnabled else { return "local_access is switched off" }
        guard peer.remote?.isLoopback == true else { return "this request does not come from the machine itself" }
        if let name = head.headers.first(where: { Self.isForwardingHeader($0.name) })?.name {
            return "the header \(name.lowercased()) says that somebody forwarded this request"
        }
        guard head.version.isAtLeast1_1 else { return "it speaks HTTP/1.0, as reverse proxies do" }
        guard let host = head.headers.first(name: "host"), Self.isLoopbackAuthority(host) else {
            return "its host header names neither localhost nor a loopback address"
        }
        if let origin = head.headers.first(name: "origin"), !Self.isLoopbackOrigin(origin) {
            return "it was made by a web page of another origin"
        }
        if head.headers.first(name: "sec-fetch-site")?.lowercased() == "cross-site" {
            return "it was made by a web page of another site"
        }
        guard let owner = socketOwner(peer) else { return "the user who made it cannot be told" }
        guard owner == ownUser || owner == 0 else { return "it was made by another user of this machine" }
        return nil
    }

    private static func isForwardingHeader(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("x-forwarded-") || name == "forwarded" || name == "via" || name == "x-real-ip"
    }

    private static func isLoopbackOrigin(_ origin: String) -> Bool {
        guard let scheme = origin.firstRange(of: "://") else { return false }
        return isLoopbackAuthority(String(origin[scheme.upperBound...]))
    }

    /// `localhost`, `127.x.y.z` or `[::1]`, each with or without a port.
    static func isLoopbackAuthority(_ authority: String) -> Bool {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            let address = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            return (rest.isEmpty || isPort(rest)) && (try? SocketAddress(ipAddress: String(address), port: 0))?.isLoopback == true
        }
        let colon = authority.firstIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)].lowercased()
        if let colon, !isPort(authority[colon...]) { return false }
        return host == "localhost" || (try? SocketAddress(ipAddress: host, port: 0))?.isLoopback == true
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && !text.dropFirst().isEmpty && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, ::1, and 127.0.0.0/8 as an IPv6 socket sees it. A Unix socket is no loopback address.
    var isLoopback: Bool {
        guard let ip = ipAddress else { return false }
        return ip.hasPrefix("127.") || ip == "::1" || ip.hasPrefix("::ffff:127.")
    }
}
