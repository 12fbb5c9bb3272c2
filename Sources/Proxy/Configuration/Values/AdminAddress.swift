/// `admin_listen`: where the operator's endpoints are, when they have an address of their own.
package enum AdminAddress: Sendable, Equatable {
    /// A name or an IP literal, IPv6 without brackets; port 0 takes any free port.
    case host(String, port: Int)
    /// The path of a Unix socket.
    case unix(String)

    /// `HOST:PORT`, `[IPV6]:PORT`, `PORT` (of 127.0.0.1) or `unix:PATH`.
    package init?(_ text: String) {
        if text.lowercased().hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty, path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else { return nil }
            self = .unix(path)
            return
        }
        let colon = text.lastIndex(of: ":")
        let host = colon.map { text[..<$0] } ?? "127.0.0.1"
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
            let name = HostName.listenAddress(String(host)), !name.contains(":") || host.hasPrefix("[")
        else { return nil }
        self = .host(name, port: Int(port))
    }

    /// Bytes that the path of a Unix socket may have (sun_path, less its end).
    static let longestPath = 107
}

extension AdminAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .host(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
