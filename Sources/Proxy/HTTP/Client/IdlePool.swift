import NIOCore

/// Which kept connection serves a request, and which is kept how long: the decisions of a pool, without I/O.
///
/// The newest serves first, so that those which are too many grow old. One pool belongs to one event loop.
struct IdlePool<Connection: AnyObject> {
    private struct Entry {
        let connection: Connection
        let expiry: NIODeadline
    }

    /// By origin; the newest is the last.
    private var kept: [Origin: [Entry]] = [:]
    private let idleTimeout: TimeAmount

    /// - Parameter idleTimeout: how long an unused connection is kept; zero or less: none is.
    init(idleTimeout: TimeAmount) {
        self.idleTimeout = idleTimeout
    }

    enum Parking: Equatable {
        case kept
        /// It is kept, and this older one has to go.
        case keptInsteadOf(Connection)
        case refused

        static func == (one: Self, other: Self) -> Bool {
            switch (one, other) {
            case (.kept, .kept), (.refused, .refused): true
            case (.keptInsteadOf(let one), .keptInsteadOf(let other)): one === other
            case (.kept, _), (.keptInsteadOf, _), (.refused, _): false
            }
        }
    }

    /// Takes the newest connection to `origin` out. Those whose time is up are left for `expire`.
    mutating func take(_ origin: Origin, at now: NIODeadline) -> Connection? {
        guard let place = kept.index(forKey: origin), let newest = kept.values[place].last, newest.expiry > now
        else { return nil }
        kept.values[place].removeLast()
        return newest.connection
    }

    /// Keeps a connection that has become free.
    ///
    /// - Parameter mayGrow: whether one more is allowed.
    mutating func park(_ connection: Connection, to origin: Origin, at now: NIODeadline, mayGrow: Bool) -> Parking {
        guard idleTimeout > .zero else { return .refused }
        let entry = Entry(connection: connection, expiry: now + idleTimeout)
        if mayGrow {
            kept[origin, default: []].append(entry)
            return .kept
        }
        guard let oldest = kept[origin]?.first else { return .refused }
        kept[origin]?.removeFirst()
        kept[origin]?.append(entry)
        return .keptInsteadOf(oldest.connection)
    }

    /// Takes out one that has been closed.
    ///
    /// - Returns: false when it was not kept.
    mutating func remove(_ connection: Connection, to origin: Origin) -> Bool {
        guard let index = kept[origin]?.lastIndex(where: { $0.connection === connection }) else { return false }
        kept[origin]?.remove(at: index)
        return true
    }

    /// Takes out all whose time is up.
    mutating func expire(at now: NIODeadline) -> [Connection] {
        var expired: [Connection] = []
        for (origin, entries) in kept {
            let count = entries.prefix { $0.expiry <= now }.count
            guard count > 0 || entries.isEmpty else { continue }
            expired += entries.prefix(count).map(\.connection)
            kept[origin] = count == entries.count ? nil : Array(entries.dropFirst(count))
        }
        return expired
    }

    /// When the first one's time is up; nil when none is kept.
    var nextExpiry: NIODeadline? { kept.values.lazy.compactMap(\.first?.expiry).min() }

    var count: Int { kept.values.reduce(0) { $0 + $1.count } }
}
