import ProxyCluster

/// Where an engine that is one of a cluster sends who asks for keys that another one has: `MOVED 3999 10.0.0.5:6379`.
struct Redirect: Equatable, Sendable {
    /// Empty: the host that was asked.
    let host: String
    let port: Int

    /// Nil where an answer is no such thing, or names nobody.
    init?(_ answer: RESP) {
        guard case .error(let bytes) = answer, bytes.count <= 512 else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        // An address of version 6 has colons too.
        guard words.count == 3, words[0] == "MOVED", let colon = words[2].lastIndex(of: ":"),
            let port = Int(words[2][words[2].index(after: colon)...]), (1...65_535).contains(port)
        else { return nil }
        var host = words[2][..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        // A node that does not know its own name.
        guard host != "?" else { return nil }
        self.host = String(host)
        self.port = port
    }
}

extension RedisEngine.Place {
    /// Where the other node is; nil where it has been named by its port alone, and this one is no host.
    func following(_ redirect: Redirect) -> RedisEngine.Place? {
        switch self {
        case .host(let host, _, let isTLS):
            .host(redirect.host.isEmpty ? host : redirect.host, port: redirect.port, isTLS: isTLS)
        case .unix:
            redirect.host.isEmpty ? nil : .host(redirect.host, port: redirect.port, isTLS: false)
        }
    }
}
