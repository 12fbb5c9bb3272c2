/// Who is at the other end: what a connection is opened to, and what it can be used again for.
struct Origin: Hashable, Sendable {
    var isTLS: Bool
    /// A name or an address, in lower case; an IPv6 address without its brackets.
    var host: String
    var port: Int

    /// Of few origins, nearly all differ in this: to hash the name as well would cost every request more than a comparison now and then.
    func hash(into hasher: inout Hasher) { hasher.combine(port &* 256 &+ host.utf8.count) }

    /// As it stands in `host` and in a request to a proxy: the port only where it is not the scheme's own.
    var authority: String {
        port == (isTLS ? 443 : 80) ? bracketedHost : "\(bracketedHost):\(port)"
    }

    /// Host and port, as messages and `CONNECT` have them.
    var hostAndPort: String { "\(bracketedHost):\(port)" }

    private var bracketedHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }
}

/// A request's URL, taken apart.
struct RequestAddress: Equatable, Sendable {
    var origin: Origin
    /// The origin's, for `host`.
    var authority: String
    /// Path and query, as they go into the request line.
    var target: String

    /// - Parameter url: absolute, `http` or `https`, already percent-encoded; a fragment is dropped.
    /// - Throws: `TransportError.cannotConnect` when it is none that a request can be sent to.
    init(_ url: String) throws(TransportError) {
        let text = url.utf8
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else {
            throw Self.unusable(url)
        }
        let isTLS: Bool
        switch url[..<colon].lowercased() {
        case "http": isTLS = false
        case "https": isTLS = true
        default: throw Self.unusable(url)
        }
        let start = text.index(colon, offsetBy: 3)
        let end = text[start...].firstIndex { "/?#".utf8.contains($0) } ?? text.endIndex
        guard let authority = Authority(url[start..<end]), authority.userInfo == nil else { throw Self.unusable(url) }
        origin = Origin(isTLS: isTLS, host: authority.host, port: authority.port ?? (isTLS ? 443 : 80))
        self.authority = origin.authority
        let fragment = text[end...].firstIndex(of: UInt8(ascii: "#")) ?? text.endIndex
        let path = url[end..<fragment]
        target = path.isEmpty ? "/" : path.utf8.first == UInt8(ascii: "/") ? String(path) : "/" + path
        // Anything else could end the request line, and begin another request.
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw Self.unusable(url) }
    }

    private static func unusable(_ url: String) -> TransportError {
        // A query may hold a key.
        .cannotConnect("\(url.prefix { $0 != "?" && $0 != "@" }) is not a valid request URL")
    }
}

/// `user@host:port` of a URL (RFC 3986, 3.2).
struct Authority: Equatable, Sendable {
    var userInfo: String?
    var host: String
    var port: Int?

    /// - Returns: nil when the host is missing, or the port is none.
    init?(_ text: Substring) {
        var rest = text
        if let at = rest.lastIndex(of: "@") {
            userInfo = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let portText: Substring?
        if rest.first == "[" {
            guard let close = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<close].lowercased()
            let after = rest[rest.index(after: close)...]
            guard after.isEmpty || after.first == ":" else { return nil }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let colon = rest.utf8.firstIndex(of: UInt8(ascii: ":"))
            host = (colon.map { rest[..<$0] } ?? rest).lowercased()
            portText = colon.map { rest[rest.index(after: $0)...] }
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        // "host:" has the scheme's port.
        guard let portText, !portText.isEmpty else { return }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(portText),
            (1...65535).contains(number)
        else { return nil }
        port = number
    }
}
