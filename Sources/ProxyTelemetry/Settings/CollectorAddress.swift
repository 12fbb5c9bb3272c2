/// An `http` or `https` address of a collector, in its parts.
struct CollectorAddress: Equatable {
    enum Fault: Error, Equatable { case scheme, host, port, userInfo, character }

    private let scheme: String
    /// Host and port, as it was written.
    private let authority: Substring
    private let path: Substring
    /// With its `?`, or empty.
    private let query: Substring
    /// As it is written, or the scheme's.
    let port: Int

    /// A fragment is left away.
    init(_ text: some StringProtocol) throws(Fault) {
        let text = String(text)
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .character }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .scheme }
        scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .scheme }
        let rest = text[text.index(colon, offsetBy: 3)...].prefix { $0 != "#" }
        authority = rest.prefix { $0 != "/" && $0 != "?" }
        let behind = rest[authority.endIndex...]
        path = behind.prefix { $0 != "?" }
        query = behind[path.endIndex...]
        guard !authority.contains("@") else { throw .userInfo }
        let host: Substring
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw .host }
            host = authority[...end]
            guard host.count > 2 else { throw .host }
        } else {
            host = authority.prefix { $0 != ":" }
            guard !host.isEmpty, !host.contains("]"), !host.contains("[") else { throw .host }
        }
        let behindHost = authority[host.endIndex...]
        if behindHost.isEmpty {
            port = scheme == "http" ? 80 : 443
        } else {
            let digits = behindHost.dropFirst()
            guard behindHost.first == ":", digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
                (1...65535).contains(number)
            else { throw .port }
            port = number
        }
    }

    var text: String { "\(scheme)://\(authority)\(path)\(query)" }

    /// The same with a path behind its own one, and one slash between.
    func appending(_ more: String) -> String {
        var path = path
        while path.last == "/" { path.removeLast() }
        return "\(scheme)://\(authority)\(path)\(more)\(query)"
    }

    /// Without what may be secret: user, password and query.
    static func shown(_ text: String) -> String {
        var shown = text.prefix { $0 != "?" && $0 != "#" }
        if let scheme = shown.firstRange(of: "://"), let at = shown[scheme.upperBound...].lastIndex(of: "@") {
            shown = shown[..<scheme.upperBound] + "***" + shown[at...]
        } else if let at = shown.lastIndex(of: "@") {
            shown = "***" + shown[at...]
        }
        return String(shown)
    }
}
