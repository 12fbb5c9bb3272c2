/// What may name a machine: a DNS name, an IPv4 literal, an IPv6 literal.
package enum HostName {
    /// The address to listen on, without the brackets that people put around IPv6; nil when it is none.
    package static func listenAddress(_ text: String) -> String? {
        var host = Substring(text)
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let literal = String(host)
        if literal.contains(":") { return isIPv6(literal) ? literal : nil }
        if text.hasPrefix("[") { return nil }
        return isIPv4(literal) || isName(literal) ? literal : nil
    }

    /// Whether it never leaves this machine; in lower case.
    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && isIPv4(host))
    }

    /// Labels of letters, digits, hyphens and underscores. A name whose last label is all digits would be read as a
    /// broken IPv4 address, so it is none.
    package static func isName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, !last.utf8.allSatisfy(isDigit) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
    }

    /// Four decimal numbers of at most 255, without leading zeros (some resolvers read those as octal).
    package static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(isDigit)
                    && (part == "0" || !part.hasPrefix("0")) && (Int(part) ?? 256) <= 255
            }
    }

    /// Eight groups of hex digits, one run of zero groups as `::`, an IPv4 tail, and an interface after `%`.
    package static func isIPv6(_ text: String) -> Bool {
        let zoned = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if zoned.count == 2 {
            let zone = zoned[1]
            guard !zone.isEmpty, zone.utf8.allSatisfy({ isDigit($0) || isLetter($0) || "-_.".utf8.contains($0) }) else {
                return false
            }
        }
        let halves = zoned[0].split(separator: "::", omittingEmptySubsequences: false)
        switch halves.count {
        case 1: return groups(halves[0], mayEndInIPv4: true) == 8
        case 2:
            guard let head = groups(halves[0], mayEndInIPv4: false), let tail = groups(halves[1], mayEndInIPv4: true)
            else { return false }
            return head + tail <= 7
        default: return false
        }
    }

    /// How many 16-bit groups `text` holds; nil when one of them is none.
    private static func groups(_ text: Substring, mayEndInIPv4: Bool) -> Int? {
        if text.isEmpty { return 0 }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, isIPv4(String(part)) {
                count += 2
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit) else { return nil }
                count += 1
            }
        }
        return count
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}
