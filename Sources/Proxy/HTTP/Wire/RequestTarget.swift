/// The target of a request, whatever base URL its sender made up: with and without `/v1`, with a doubled one, with doubled and trailing slashes, with any
/// query. All of it goes by bytes, and once over them.
struct RequestTarget: Equatable, Sendable {
    /// What stands between the slashes, without `v1` in front.
    let segments: ArraySlice<Substring>

    /// Nil for one that is longer than `longest`.
    init?(_ target: String) {
        guard target.utf8.count <= Self.longest else { return nil }
        let path = Self.path(of: target.utf8[...]).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true).map { Substring($0) }
        segments = parts[(parts.firstIndex { $0 != "v1" } ?? parts.endIndex)...]
    }

    /// The target without scheme and host: clients of a forward proxy send the whole URL, and a server has to take it
    /// (RFC 9112, 3.2.2).
    private static func path(of target: Substring.UTF8View) -> Substring.UTF8View {
        for scheme in ["http://", "https://"]
        where target.prefix(scheme.utf8.count).lazy.map({ $0 | 0x20 }).elementsEqual(scheme.utf8) {
            return target.dropFirst(scheme.utf8.count).drop {
                $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
            }
        }
        return target
    }

    /// Bytes that a target may have. The longest that means something names one model; a query of a few words is left over.
    static let longest = 8 * 1024

    /// A target up to its query.
    static func withoutQuery(_ target: String) -> String {
        guard let query = ByteSearch.offset(of: UInt8(ascii: "?"), in: target) else { return target }
        return String(target[..<target.utf8.index(target.startIndex, offsetBy: query)])
    }

    /// The value of a query parameter, decoded; nil when it is not there or broken.
    static func query(_ name: String, of target: String) -> String? {
        query(of: target).first { $0.name == name }?.value
    }

    /// The query's parameters in their order, the values decoded; nil for one that is broken.
    static func query(of target: String) -> [(name: String, value: String?)] {
        guard let start = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return [] }
        let query = target.utf8[target.utf8.index(after: start)...].prefix { $0 != UInt8(ascii: "#") }
        return query.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false).map {
                String(Substring($0))
            }
            return (parts[0], parts.count == 2 ? parts[1].removingPercentEncoding : "")
        }
    }
}

extension String {
    /// The text with its `%XX` undone; nil when an escape is broken or the bytes are not UTF-8.
    var removingPercentEncoding: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = self[...].utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
