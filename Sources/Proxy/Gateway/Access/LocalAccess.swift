import NIOCore
import NIOHTTP1

/// Whether a request without a key is plainly made by the operator on the machine itself.
///
/// Everything that could have carried somebody else's wish here is a reason to say no: a reverse proxy (its headers, its
/// HTTP/1.0, its own system user), and a web page in the operator's browser (a foreign origin, a name that was rebound to
/// loopback). So it may have nothing but what curl, or a browser on a page of the machine itself, sends by itself: a list of what forwarders
/// add would never be whole.
struct LocalAccess: Sendable {
    /// `local_access` of the configuration.
    let isEnabled: Bool
    /// The user that this process runs as.
    let ownUser: UInt32
    /// The system user that owns the peer's socket; nil when it cannot be told.
    let socketOwner: @Sendable (ClientPeer) async -> UInt32?

    /// Why the request does not pass as the operator's own; nil when it does. The text ends the sentence
    /// "The request does not count as local: ...". The owner of the socket is looked up only for a
    /// request that has nothing else against it, once for its connection.
    ///
    /// - Parameter changes: the request changes something: then no web page counts but one of this very address.
    func objection(
        to head: HTTPRequestHead, from peer: ClientPeer, by entrance: Entrance = .only, changes: Bool = false
    ) async -> String? {
        // Its file's mode has settled whose it is, and no web page reaches it.
        if entrance == .operators, peer.isOfUnixSocket { return nil }
        if let objection = objection(to: head, from: peer.remote) { return objection }
        if changes, let objection = Self.objection(toPageOf: head) { return objection }
        guard let owner = await peer.owner.value({ await socketOwner(peer) }) else {
            return "the user that sent it cannot be determined"
        }
        guard owner == ownUser || owner == 0 else { return "it was sent by another user of this machine" }
        return nil
    }

    private func objection(to head: HTTPRequestHead, from remote: SocketAddress?) -> String? {
        guard isEnabled else { return "local_access is off" }
        guard remote?.isLoopback == true else { return "it does not come from this machine" }
        guard head.version.isAtLeastHTTP11 else { return "it uses HTTP/1.0, as reverse proxies do" }
        var hosts = 0
        for (name, value) in head.headers {
            let name = name.lowercased()
            if name == "host" { hosts += 1 }
            if let objection = Self.objection(to: name, value) { return objection }
        }
        guard hosts == 1 else { return Self.foreignHost }
        // Whose target is a whole URL says there whom it is for (RFC 9112, 3.2.2).
        guard head.uri.utf8.first == UInt8(ascii: "/") || head.uri == "*" || Self.isLoopbackURL(head.uri) else {
            return "its target is a URL of another host"
        }
        return nil
    }

    /// A page of another port may be anybody's: another user's server, or one with a hole in it.
    static func objection(toPageOf head: HTTPRequestHead) -> String? {
        if let origin = head.headers.value(of: "origin") {
            let host = head.headers.value(of: "host") ?? ""
            guard
                origin.lowercased() == "http://\(host.lowercased())"
                    || origin.lowercased() == "https://\(host.lowercased())"
            else { return "it was sent by a web page of another address than that of its host header" }
        }
        if let site = head.headers.value(of: "sec-fetch-site"), !["same-origin", "none"].contains(site.lowercased()) {
            return "it was sent by a web page of another port"
        }
        return nil
    }

    private static let foreignHost = "its host header is neither localhost nor a loopback address"

    /// What speaks against a header field; its name in lower case.
    private static func objection(to name: String, _ value: String) -> String? {
        switch name {
        case "host": isLoopbackAuthority(value) ? nil : foreignHost
        case "origin": isLoopbackURL(value) ? nil : "it was sent by a web page of another origin"
        case "referer": isLoopbackURL(value) ? nil : "it was sent from a web page of another origin"
        case "sec-fetch-site":
            ["same-origin", "same-site", "none"].contains(value.lowercased())
                ? nil : "it was sent by a web page of another site"
        case "connection":
            ["keep-alive", "close"].contains(value.lowercased())
                ? nil : "its connection header is neither keep-alive nor close"
        case "authorization": "its authorization header contains none of the proxy's keys"
        case _ where isForwarding(name): "the header \(shown(name)) shows that it was forwarded"
        case _ where isUsual(name): nil
        case "anthropic-version", "anthropic-beta":
            "the header \(shown(name)) is not sent by curl or a browser by default"
        default: "the header \(shown(name)) is not sent by curl or a browser by default; remove it"
        }
    }

    private static func shown(_ name: String) -> String { String(decoding: name.utf8.prefix(64), as: UTF8.self) }

    /// Names that the refusal explains; they are not among the usual ones either.
    private static func isForwarding(_ name: String) -> Bool {
        name.hasPrefix("x-forwarded") || name == "forwarded" || name == "via" || name == "x-real-ip"
    }

    /// What curl and browsers send to a page of the machine itself, what scrapers of metrics and the command line add, and the request's id. Cookies are sent along to all ports of a host, and mean nothing here.
    private static func isUsual(_ name: String) -> Bool {
        usual.contains(name) || ["accept-", "content-", "sec-ch-ua", "sec-fetch-"].contains { name.hasPrefix($0) }
    }

    private static let usual: Set<String> = [
        "user-agent", "accept", "cache-control", "pragma", "dnt", "sec-gpc", "upgrade-insecure-requests", "priority",
        "cookie", "expect", "if-modified-since",
        "if-none-match", "range", "save-data", "sec-purpose", "transfer-encoding", "sec-ch-ua", "x-request-id",
        "x-prometheus-scrape-timeout-seconds", "x-ociai-configuration",
        "x-ociai-dashboard", "x-ociai-route",
    ]

    /// `http://localhost:3000/page`; what stands behind the authority does not matter.
    private static func isLoopbackURL(_ url: String) -> Bool {
        for scheme: StaticString in ["http://", "https://"] where url.hasPrefixIgnoringCase(scheme) {
            let rest = url.utf8.dropFirst(scheme.utf8CodeUnitCount)
            return isLoopbackAuthority(String(decoding: rest.prefix { !"/?#\\".utf8.contains($0) }, as: UTF8.self))
        }
        return false
    }

    /// `localhost`, also with the dot of the root, `127.x.y.z` or `[::1]`, each with or without a port.
    static func isLoopbackAuthority(_ authority: String) -> Bool {
        let text = Array(authority.utf8)
        guard text.count <= 64, text.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        let end: Int
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
            end = bracket + 1
        } else {
            end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.count
        }
        let port = text[end...]
        guard
            port.isEmpty
                || (port.first == UInt8(ascii: ":") && port.count > 1
                    && port.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
        else { return false }
        let host = text.first == UInt8(ascii: "[") ? text[1..<end - 1] : text[..<end]
        let name = String(decoding: host, as: UTF8.self)
        if name.isEqualIgnoringCase(to: "localhost") || name.isEqualIgnoringCase(to: "localhost.") { return true }
        return (try? SocketAddress(ipAddress: name, port: 0))?.isLoopback == true
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, ::1, and 127.0.0.0/8 as an IPv6 socket sees it. A Unix socket is no loopback address.
    var isLoopback: Bool {
        guard let ip = ipAddress else { return false }
        return ip.hasPrefix("127.") || ip == "::1" || ip.hasPrefix("::ffff:127.")
    }
}
