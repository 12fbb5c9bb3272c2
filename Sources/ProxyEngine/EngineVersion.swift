import ProxyCluster

/// What an engine says of itself (`INFO server`). Valkey tells the version of Redis that it is like, too.
struct EngineVersion: Equatable, Sendable, CustomStringConvertible {
    enum Mode: Equatable, Sendable {
        case alone
        /// One of a cluster.
        case cluster
        /// It only knows where an engine is.
        case sentinel
    }

    let name: String
    let version: String
    let mode: Mode
    private let major: Int

    init?(_ information: RESP) {
        guard let bytes = information.bytes else { return nil }
        var fields: [Substring: Substring] = [:]
        let text = String(decoding: bytes.prefix(64 << 10), as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        guard let redis = fields["redis_version"], let major = redis.split(separator: ".").first.flatMap({ Int($0) })
        else { return nil }
        self.major = major
        if let valkey = fields["valkey_version"] {
            (name, version) = ("Valkey", String(valkey.prefix(32)))
        } else {
            (name, version) = ("Redis", String(redis.prefix(32)))
        }
        mode =
            switch fields["redis_mode"] ?? fields["server_mode"] {
            case "cluster": .cluster
            case "sentinel": .sentinel
            default: .alone
            }
    }

    /// `TIME` may be followed by writes in a script from 5 on, and access lists came with 6.
    var isSupported: Bool { major >= 6 }
    var description: String { "\(name) \(version)" }
}
