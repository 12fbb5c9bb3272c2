/// What one instance has found out and all should know. Moments are milliseconds since 1970 by the engine's clock.
///
/// There is no news that something is well: a breaker that has closed elsewhere has closed there.
package enum News: Equatable, Sendable {
    /// An upstream, or a model of one, asked to be left alone. It is meant for all, whoever was told.
    case cooldown(of: String, until: Int64, isThrottle: Bool)
    /// A breaker has opened elsewhere: a hint, after which one request finds out here.
    case breakerOpened(of: String, until: Int64)
    /// What an upstream takes at once, from all instances together.
    case learntLimit(of: String, limit: Int, at: Int64)
    /// An upstream has refused a model as retired or unknown.
    case retired(model: String, at: Int64)
    case key(KeyRecord)
    /// What a client has had kept was deleted: copies of it go, until then and no longer.
    case erased(document: String, until: Int64)
    /// An instance says how it does.
    case instance(InstanceNews)

    /// A managed key has been made, changed or revoked.
    package struct KeyRecord: Equatable, Sendable {
        package var name: String
        /// A name that was revoked can be given anew: then this is later.
        package var created: Int64
        package var changed: Int64
        package var isRevoked: Bool
        /// All that is known of it, in a form that this module does not know. Digests, never keys.
        package var record: [UInt8]

        package init(name: String, created: Int64, changed: Int64, isRevoked: Bool, record: [UInt8]) {
            self.name = name
            self.created = created
            self.changed = changed
            self.isRevoked = isRevoked
            self.record = record
        }

        /// Of two that are different: a later key of that name, then one that is revoked, then the later change.
        package var rank: String { NewsRank.digits(created) + (isRevoked ? "1" : "0") + NewsRank.digits(changed) }
    }

    /// What it is about. Learnt limits are kept of each instance, since the lowest counts.
    func topic(from origin: String) -> String {
        switch self {
        case .cooldown(let of, _, _): "cooldown/" + of
        case .breakerOpened(let of, _): "breaker/" + of
        case .learntLimit(let of, _, _): "limit/\(origin)/" + of
        case .retired(let model, _): "retired/" + model
        case .key(let key): "key/" + key.name
        case .erased(let document, _): "erased/" + document
        case .instance: "instance/" + origin
        }
    }

    var rank: String {
        switch self {
        case .cooldown(_, let until, _), .breakerOpened(_, let until), .erased(_, let until): NewsRank.digits(until)
        case .learntLimit(_, _, let at), .retired(_, let at): NewsRank.digits(at)
        case .key(let key): key.rank
        case .instance(let instance): NewsRank.digits(instance.at)
        }
    }

    /// Milliseconds for which others may use it, from `now` on; 0 is for good.
    func life(at now: Int64) -> Int64 {
        switch self {
        case .cooldown(_, let until, _), .breakerOpened(_, let until), .erased(_, let until):
            min(max(1_000, until - now), NewsBoard.longestRest)
        case .learntLimit: NewsBoard.longestLimit
        case .retired: NewsBoard.longestRetired
        case .key: 0
        case .instance: InstanceNews.life
        }
    }
}

enum NewsRank {
    /// Sixteen digits: 0 to 10^16 - 1.
    static func digits(_ number: Int64) -> String {
        let text = String(min(max(0, number), 9_999_999_999_999_999))
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
