/// `shared_state`: the engine in which instances share limits.
package struct SharedStateAddress: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// A name or an IP literal, IPv6 without brackets.
        case host(String, port: Int, isTLS: Bool)
        /// The path of a Unix socket.
        case unix(String)
    }

    package var place: Place
    /// Of the engine's access list; empty is its default user.
    package var user = ""
    package var password: Secret?
    package var database = 0

    static let port = 6379
    /// Databases of an engine are numbers; none has more than some thousands.
    static let databases = 0...65_535

    /// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://...`, or `unix://[[USER]:PASSWORD@]PATH[?db=DATABASE]`; user and password
    /// percent-encoded where they have reserved characters.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let end = text.firstRange(of: "://") else {
            return nil
        }
        let rest = text[end.upperBound...]
        switch text[..<end.lowerBound].lowercased() {
        case "redis": place = .host("", port: Self.port, isTLS: false)
        case "rediss": place = .host("", port: Self.port, isTLS: true)
        case "unix": place = .unix("")
        default: return nil
        }
        // A password may hold an `@` that was not encoded; a host and a path behind it rarely do.
        let at = rest.lastIndex(of: "@")
        if let at, !take(credentials: rest[..<at]) { return nil }
        let target = at.map { rest[rest.index(after: $0)...] } ?? rest
        let isTaken =
            switch place {
            case .unix: take(path: target)
            case .host(_, _, let isTLS): take(host: target, isTLS: isTLS)
            }
        if !isTaken { return nil }
    }

    private mutating func take(credentials text: Substring) -> Bool {
        guard let colon = text.firstIndex(of: ":"),
            let user = String(validating: text[..<colon].percentDecoded, as: UTF8.self),
            let password = String(validating: text[text.index(after: colon)...].percentDecoded, as: UTF8.self)
        else { return false }
        self.user = user
        self.password = password.isEmpty ? nil : Secret(password)
        return user.isEmpty || self.password != nil
    }

    private mutating func take(path text: Substring) -> Bool {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        guard path.hasPrefix("/"), path.utf8.count <= AdminAddress.longestPath, !path.utf8.contains(0) else {
            return false
        }
        place = .unix(path)
        guard parts.count == 2 else { return true }
        return parts[1].hasPrefix("db=") && take(database: parts[1].dropFirst(3))
    }

    private mutating func take(host text: Substring, isTLS: Bool) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !parts[1].isEmpty, !take(database: parts[1]) { return false }
        var host = parts[0]
        var port = Self.port
        if let colon = host.lastIndex(of: ":"), host.last != "]" {
            guard let number = UInt16(host[host.index(after: colon)...]), number > 0 else { return false }
            port = Int(number)
            host = host[..<colon]
        }
        guard let name = HostName.listenAddress(String(host)), !name.contains(":") || host.hasPrefix("[") else {
            return false
        }
        place = .host(name, port: port, isTLS: isTLS)
        return true
    }

    private mutating func take(database text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            Self.databases.contains(number)
        else { return false }
        database = number
        return true
    }
}

/// For people: without user and password.
extension SharedStateAddress: CustomStringConvertible {
    package var description: String {
        let suffix = database == 0 ? "" : "/\(database)"
        return switch place {
        case .unix(let path): "unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
        case .host(let host, let port, let isTLS):
            "\(isTLS ? "rediss" : "redis")://\(host.contains(":") ? "[\(host)]" : host):\(port)\(suffix)"
        }
    }
}
