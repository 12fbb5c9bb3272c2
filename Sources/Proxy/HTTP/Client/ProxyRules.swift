#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which outbound proxy a request goes through, from the environment, read as curl reads it: `https_proxy` or `HTTPS_PROXY` for
/// https, `http_proxy` or `HTTP_PROXY` for http, and `no_proxy` or `NO_PROXY` for those that are reached without. Lower case
/// comes first; what is empty is as if it were not there.
///
/// This host itself and link-local addresses are always reached without: instance metadata would come from the proxy's host
/// otherwise.
package struct ProxyRules: Sendable, Hashable {
    /// A proxy that speaks HTTP/1.1, in the clear.
    struct Proxy: Sendable, Hashable {
        /// Where it listens; never with TLS.
        var origin: Origin
        /// The value of `proxy-authorization`. A secret.
        var authorization: String?
    }

    /// A variable that does not name a proxy. Its value is not in the text, for it may hold a password.
    package struct InvalidVariable: Error, Equatable, CustomStringConvertible {
        let name: String
        let reason: String
        package var description: String {
            "\(name) cannot be used: \(reason); use http://host:port or http://user:password@host:port"
        }
    }

    private var https: Proxy?
    private var http: Proxy?
    private var exceptions: [Exception] = []

    /// Everything is reached directly.
    package static let none = ProxyRules()

    private init() {}

    /// The variables that are read.
    package static let variables = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"]

    package init(environment: [String: String]) throws(InvalidVariable) {
        func value(of names: String...) -> (name: String, text: String)? {
            for name in names {
                if let text = environment[name], !text.isEmpty { return (name, text) }
            }
            return nil
        }
        if let (name, text) = value(of: "https_proxy", "HTTPS_PROXY") { https = try Self.proxy(text, in: name) }
        if let (name, text) = value(of: "http_proxy", "HTTP_PROXY") { http = try Self.proxy(text, in: name) }
        exceptions = (value(of: "no_proxy", "NO_PROXY")?.text ?? "").split { $0 == "," || $0.isWhitespace }.map(
            Exception.init)
    }

    func proxy(for origin: Origin) -> Proxy? {
        guard let proxy = origin.isTLS ? https : http else { return nil }
        let address = IPAddress(origin.host)
        if origin.host == "localhost" || address?.isNear == true { return nil }
        return exceptions.contains { $0.matches(origin, address) } ? nil : proxy
    }

    private static func proxy(_ text: String, in name: String) throws(InvalidVariable) -> Proxy {
        var rest = text[...]
        if let scheme = text.range(of: "://") {
            guard text[..<scheme.lowerBound].lowercased() == "http" else {
                throw InvalidVariable(name: name, reason: "only http:// proxies are supported")
            }
            rest = text[scheme.upperBound...]
        }
        guard let authority = Authority(rest.prefix { $0 != "/" }) else {
            throw InvalidVariable(name: name, reason: "its host or port is missing")
        }
        return Proxy(
            // Where nothing is said, curl's port for proxies.
            origin: Origin(isTLS: false, host: authority.host, port: authority.port ?? 1080),
            authorization: authority.userInfo.map { userInfo in
                let user = userInfo.prefix { $0 != ":" }
                let password = userInfo.dropFirst(user.count + 1)
                let credentials = user.percentDecoded + [UInt8(ascii: ":")] + password.percentDecoded
                return "Basic " + String(decoding: Base64.encode(credentials), as: UTF8.self)
            })
    }
}

extension ProxyRules {
    /// One entry of `NO_PROXY`: `*`, a name with everything below it, an address, or a network; the first two and an address may
    /// name a port.
    private struct Exception: Sendable, Hashable {
        private enum Hosts: Hashable {
            case all
            case name(String)
            case network(IPAddress, bits: Int)
        }
        private let hosts: Hosts
        private let port: Int?

        init(_ text: Substring) {
            let slash = text.split(separator: "/", maxSplits: 1)
            if slash.count == 2, let network = IPAddress(slash[0].trimming("[]")), let bits = Int(slash[1]),
                (0...network.bytes.count * 8).contains(bits)
            {
                (hosts, port) = (.network(network, bits: bits), nil)
            } else if let address = IPAddress(text.trimming("[]")) {
                (hosts, port) = (.network(address, bits: address.bytes.count * 8), nil)
            } else if let authority = Authority(text) {
                port = authority.port
                if let address = IPAddress(authority.host) {
                    hosts = .network(address, bits: address.bytes.count * 8)
                } else {
                    let name = authority.host.hasPrefix("*.") ? authority.host.dropFirst(1) : authority.host[...]
                    hosts = name == "*" ? .all : .name(name.trimming("."))
                }
            } else {
                // As curl has it: what is no host matches none.
                (hosts, port) = (.name(String(text)), nil)
            }
        }

        func matches(_ origin: Origin, _ address: IPAddress?) -> Bool {
            if let port, port != origin.port { return false }
            switch hosts {
            case .all: return true
            case .network(let network, let bits): return address?.isIn(network, bits: bits) == true
            case .name(let name):
                let host = origin.host[...].trimming(".")
                return host == name || !name.isEmpty && host.hasSuffix("." + name)
            }
        }
    }

    /// An IPv4 or IPv6 address as bytes.
    private struct IPAddress: Sendable, Hashable {
        let bytes: [UInt8]

        init?(_ text: String) {
            var bytes = [UInt8](repeating: 0, count: 16)
            // It writes 4 bytes, and 16 in the other case.
            if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
                self.bytes = Array(bytes.prefix(4))
            } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
                self.bytes = bytes
            } else {
                return nil
            }
        }

        /// Loopback or link-local.
        var isNear: Bool {
            bytes.count == 4
                ? bytes[0] == 127 || bytes[0] == 169 && bytes[1] == 254
                : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
                    || bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        }

        func isIn(_ network: IPAddress, bits: Int) -> Bool {
            guard bytes.count == network.bytes.count else { return false }
            return (0..<bits).allSatisfy { bit in (bytes[bit / 8] ^ network.bytes[bit / 8]) & (0x80 >> (bit % 8)) == 0 }
        }
    }
}

extension Substring {
    fileprivate func trimming(_ characters: String) -> String {
        var text = self
        while let first = text.first, characters.contains(first) { text.removeFirst() }
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
