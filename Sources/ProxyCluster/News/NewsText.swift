/// News as bytes: fields with tabs between them, so that an operator can read them in the engine.
///
///     1 TAB origin TAB cooldown TAB until TAB 0 or 1 TAB object
///     1 TAB origin TAB breaker TAB until TAB object
///     1 TAB origin TAB limit TAB at TAB number TAB object
///     1 TAB origin TAB retired TAB at TAB model
///     1 TAB origin TAB erased TAB until TAB document
///     1 TAB origin TAB instance TAB at TAB since TAB requests TAB state TAB version TAB name
///     1 TAB origin TAB key TAB created TAB changed TAB 0 or 1 TAB length of name TAB name record
///
/// What comes last may hold any bytes. Another version or kind is not read: it is from an instance that is newer, and is left to those that
/// know it.
package struct NewsText: Equatable, Sendable {
    /// The instance that told it.
    package var origin: String
    package var news: News

    package init(origin: String, news: News) {
        self.origin = origin
        self.news = news
    }

    package static let version = "1"
    /// A record of a key may be long; nothing else is.
    package static let longest = 64 << 10

    /// Nil when it would be longer than `longest`, or the origin has a tab.
    package var bytes: [UInt8]? {
        guard !origin.utf8.contains(UInt8(ascii: "\t")) else { return nil }
        let fields: [String]
        switch news {
        case .cooldown(let of, let until, let isThrottle):
            fields = ["cooldown", String(until), isThrottle ? "1" : "0", of]
        case .breakerOpened(let of, let until): fields = ["breaker", String(until), of]
        case .learntLimit(let of, let limit, let at): fields = ["limit", String(at), String(limit), of]
        case .retired(let model, let at): fields = ["retired", String(at), model]
        case .erased(let document, let until): fields = ["erased", String(until), document]
        case .instance(let one):
            fields = [
                "instance", String(one.at), String(one.startedAt), String(one.inFlight), one.state, one.version,
                one.name,
            ]
            // They would be read as other fields.
            guard !(one.state + one.version).utf8.contains(UInt8(ascii: "\t")) else { return nil }
        case .key(let key):
            fields = [
                "key", String(key.created), String(key.changed), key.isRevoked ? "1" : "0", String(key.name.utf8.count),
                key.name,
            ]
        }
        var bytes = Array(([Self.version, origin] + fields).joined(separator: "\t").utf8)
        if case .key(let key) = news { bytes += key.record }
        return bytes.count <= Self.longest ? bytes : nil
    }

    package enum Reading: Equatable, Sendable {
        case news(NewsText)
        /// Of a version or kind that this program does not know.
        case unknown
        case malformed
    }

    package static func read(_ bytes: [UInt8]) -> Reading {
        guard bytes.count <= longest else { return .malformed }
        var fields = FieldReader(rest: bytes[...])
        guard let version = fields.text() else { return .malformed }
        guard version == Self.version else { return version.allSatisfy(\.isNumber) ? .unknown : .malformed }
        guard let origin = fields.text(), let kind = fields.text() else { return .malformed }
        let news: News?
        switch kind {
        case "cooldown": news = fields.cooldown()
        case "breaker": news = fields.breaker()
        case "limit": news = fields.limit()
        case "retired": news = fields.retired()
        case "key": news = fields.key()
        case "erased": news = fields.erased()
        case "instance": news = fields.instance()
        default: return .unknown
        }
        guard let news else { return .malformed }
        return .news(NewsText(origin: origin, news: news))
    }
}

private struct FieldReader {
    var rest: ArraySlice<UInt8>

    /// Up to the next tab.
    mutating func text() -> String? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\t")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return String(validating: rest[..<end], as: UTF8.self)
    }

    mutating func number() -> Int64? {
        guard let text = text(), let number = Int64(text), number >= 0 else { return nil }
        return number
    }

    mutating func flag() -> Bool? {
        switch text() {
        case "0": false
        case "1": true
        default: nil
        }
    }

    /// All that is left: something, and text.
    func name() -> String? { rest.isEmpty ? nil : String(validating: rest, as: UTF8.self) }

    mutating func cooldown() -> News? {
        guard let until = number(), let isThrottle = flag(), let of = name() else { return nil }
        return .cooldown(of: of, until: until, isThrottle: isThrottle)
    }

    mutating func breaker() -> News? {
        guard let until = number(), let of = name() else { return nil }
        return .breakerOpened(of: of, until: until)
    }

    mutating func limit() -> News? {
        guard let at = number(), let limit = number(), limit <= Int64(Int32.max), let of = name() else { return nil }
        return .learntLimit(of: of, limit: Int(limit), at: at)
    }

    mutating func retired() -> News? {
        guard let at = number(), let model = name() else { return nil }
        return .retired(model: model, at: at)
    }

    mutating func erased() -> News? {
        guard let until = number(), let document = name() else { return nil }
        return .erased(document: document, until: until)
    }

    mutating func instance() -> News? {
        guard let at = number(), let since = number(), let inFlight = number().flatMap({ Int(exactly: $0) }),
            let state = text(), let version = text(), let name = name()
        else { return nil }
        return .instance(
            InstanceNews(
                name: name, version: version, state: state, startedAt: since, inFlight: inFlight, at: at))
    }

    mutating func key() -> News? {
        guard let created = number(), let changed = number(), let isRevoked = flag(), let length = number(),
            length > 0, length <= Int64(rest.count),
            let name = String(validating: rest.prefix(Int(length)), as: UTF8.self)
        else { return nil }
        return .key(
            News.KeyRecord(
                name: name, created: created, changed: changed, isRevoked: isRevoked,
                record: Array(rest.dropFirst(Int(length)))))
    }
}
