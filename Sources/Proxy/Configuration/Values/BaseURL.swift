/// The base URL of an upstream: scheme, host, port and a path without a trailing slash.
///
/// User information, query and fragment are refused: the first would put a password in logs, the others cannot be
/// continued by a path.
package struct BaseURL: Sendable, Hashable {
    package enum Scheme: String, Sendable { case http, https }

    package let scheme: Scheme
    /// A name in lower case, or an IP literal; IPv6 without its brackets.
    package let host: String
    /// As written; nil stands for the scheme's own.
    package let explicitPort: Int?
    /// Empty, or begins with a slash and does not end with one.
    package let path: String

    /// 80 and 443 unless the URL says otherwise.
    package var port: Int { explicitPort ?? (scheme == .https ? 443 : 80) }

    /// The host that never leaves this machine: plain `http` is harmless there.
    package var isLoopback: Bool { HostName.isLoopback(host) }

    package init(https host: String) {
        scheme = .https
        self.host = host
        explicitPort = nil
        path = ""
    }

    /// Nil unless `text` is an absolute `http` or `https` URL of the form above.
    package init?(_ text: String) {
        guard let separator = Self.schemeEnd(text),
            let scheme = Scheme(rawValue: text[..<separator].lowercased())
        else { return nil }
        let rest = text[text.index(separator, offsetBy: 3)...]
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.refused.contains($0) }) else { return nil }

        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[slash...]
        while path.hasSuffix("/") { path.removeLast() }
        guard let (host, port) = Self.authority(rest[..<slash]) else { return nil }

        self.scheme = scheme
        self.host = host
        self.explicitPort = port
        self.path = String(path)
    }

    /// The same URL without `suffix` at the end of its path, when it is there.
    package func dropping(pathSuffix suffix: String) -> BaseURL {
        guard path.hasSuffix(suffix) else { return self }
        return BaseURL(
            scheme: scheme, host: host, explicitPort: explicitPort, path: String(path.dropLast(suffix.count)))
    }

    private init(scheme: Scheme, host: String, explicitPort: Int?, path: String) {
        self.scheme = scheme
        self.host = host
        self.explicitPort = explicitPort
        self.path = path
    }

    /// `@ ? # \ " < > ^ { | }` and the backtick.
    private static let refused = Set("@?#\\\"<>^{|}`".utf8)

    private static func schemeEnd(_ text: String) -> String.Index? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        return colon
    }

    /// `host`, `host:port`, `[::1]` or `[::1]:port`.
    private static func authority(_ text: Substring) -> (host: String, port: Int?)? {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let tail = text[text.index(after: close)...]
            guard HostName.isIPv6(String(host)), tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty { port = tail.dropFirst() }
        } else {
            if let colon = text.firstIndex(of: ":") {
                host = text[..<colon]
                port = text[text.index(after: colon)...]
            }
            guard HostName.isName(String(host)) || HostName.isIPv4(String(host)) else { return nil }
        }
        guard let port else { return (host.lowercased(), nil) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port), (1...65535).contains(number)
        else { return nil }
        return (host.lowercased(), number)
    }
}

extension BaseURL: CustomStringConvertible {
    package var description: String {
        let literal = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(literal)\(explicitPort.map { ":\($0)" } ?? "")\(path)"
    }
}
