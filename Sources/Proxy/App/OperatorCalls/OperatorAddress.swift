/// Where the operator's endpoints of a configuration's process are.
enum OperatorAddress: Equatable, Sendable {
    /// The path of the socket of `admin_listen`.
    case unix(String)
    /// An IPv6 address without brackets.
    case host(String, port: Int, isTLS: Bool)

    /// The operator's own address, where the configuration has one, else that of clients.
    ///
    /// - Returns: nil when the port is any free one.
    init?(_ server: ServerSettings) {
        switch server.admin {
        case .unix(let path): self = .unix(path)
        case .host(let host, let port):
            // As `ServiceGraph` listens there.
            let isTLS = server.tlsCertificate != nil && !HostName.isLoopback(host.lowercased())
            self.init(host, port, isTLS: isTLS)
        case .none: self.init(server.host, server.port, isTLS: server.tlsCertificate != nil)
        }
    }

    /// As people name it: `http://HOST:PORT`, `https://HOST`, `unix:PATH`, `HOST:PORT`, or a port of 127.0.0.1.
    ///
    /// - Returns: nil when it is no address.
    init?(_ text: String) {
        if let url = BaseURL(text) {
            guard url.path.isEmpty else { return nil }
            let isTLS = url.scheme == .https
            self.init(url.host, url.explicitPort ?? (isTLS ? 443 : 80), isTLS: isTLS)
            return
        }
        switch AdminAddress(text) {
        case .unix(let path): self = .unix(path)
        case .host(let host, let port): self.init(host, port, isTLS: false)
        case nil: return nil
        }
    }

    private init?(_ host: String, _ port: Int, isTLS: Bool) {
        guard port != 0 else { return nil }
        // Who listens on all addresses is asked on the machine itself.
        let place =
            switch host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            default: host
            }
        self = .host(place, port: port, isTLS: isTLS)
    }

    /// In front of a path. A Unix socket has a name all the same, for the head of the request.
    var url: String {
        switch self {
        case .unix: "http://localhost"
        case .host(let host, let port, let isTLS):
            "\(isTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
    }
}

extension OperatorAddress: CustomStringConvertible {
    var description: String { if case .unix(let path) = self { "unix:\(path)" } else { url } }
}
