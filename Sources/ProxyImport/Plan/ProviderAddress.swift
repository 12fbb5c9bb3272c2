/// Base URLs as the proxy takes them.
enum ProviderAddress {
    /// Without a slash at the end, and without the path of a call; nil when the proxy takes no such URL.
    static func normal(_ text: String) -> String? {
        var url = text
        while url.hasSuffix("/") { url.removeLast() }
        for call in ["/chat/completions", "/completions", "/embeddings"] where url.hasSuffix(call) {
            url.removeLast(call.count)
            break
        }
        guard let rest = rest(of: url), let first = rest.utf8.first, first != UInt8(ascii: "/"),
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"@?#\\\"<>^{|}`".utf8.contains($0) })
        else { return nil }
        return url
    }

    /// The host's name, for people: without its port.
    static func host(_ url: String) -> String? {
        guard let rest = rest(of: url) else { return nil }
        let authority = rest.prefix { $0 != "/" }
        let host =
            authority.hasPrefix("[") ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let name = String(host.map { $0 == ":" ? "-" : $0 })
        return IdentityText.isIdentifier(name) && name.utf8.count <= 60 ? name.lowercased() : nil
    }

    private static func rest(of url: String) -> Substring? {
        for scheme in ["https://", "http://"] where url.lowercased().hasPrefix(scheme) {
            return url.dropFirst(scheme.count)
        }
        return nil
    }
}
