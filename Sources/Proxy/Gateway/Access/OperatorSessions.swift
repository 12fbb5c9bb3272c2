import NIOHTTP1
import ProxyRouting
import Synchronization

/// Operators who have signed in to the dashboard. A browser holds a random token in a cookie; here are its digest and that of the key it was got
/// for. So whoever reads the process's memory finds neither, and a key that is revoked, expires or leaves the file ends its sessions.
///
/// It outlives reloads, and ends with the process.
final class OperatorSessions: Sendable {
    /// How long one signs in for.
    static let lifetime: Int64 = 12 * 3600

    private let table = Mutex(SessionTable())
    private let random: @Sendable () -> UInt64

    /// - Parameter random: fit for secrets.
    init(random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }) { self.random = random }

    /// Begins a session.
    ///
    /// - Parameter isEncrypted: over TLS. It holds only where its cookie came so.
    /// - Returns: its token, of 256 random bits; nil when there is no SHA-256.
    func open(for key: Digest32, isEncrypted: Bool = false, at now: Int64) -> String? {
        let token = (0..<4).map { _ in random().hex }.joined()
        guard let digest = Digest32(of: token[...]) else { return nil }
        let session = SessionTable.Session(key: key, until: now + Self.lifetime, isEncrypted: isEncrypted)
        table.withLock { $0.open(digest, session, at: now) }
        return token
    }

    /// Ends the sessions whose cookies a request carries.
    func close(by head: HTTPRequestHead) {
        for (digest, _) in sessions(of: head, at: .min) { table.withLock { $0.close(digest) } }
    }

    /// Ends those whose keys work no more, so that none comes back with its key.
    func keep(by keys: ClientKeys, at now: Int64) {
        table.withLock { $0.keep { keys.caller(of: $0.key, at: now) != nil } }
    }

    /// Whose session a request's cookie is of; nil when there is none, when it is over, or when its key works no more.
    func caller(of head: HTTPRequestHead, by keys: ClientKeys, at now: Int64) -> Caller? {
        for (digest, session) in sessions(of: head, at: now) {
            if let caller = keys.caller(of: session.key, at: now) { return caller }
            table.withLock { $0.close(digest) }
        }
        return nil
    }

    /// When the session of a request ends, in seconds since 1970.
    func end(of head: HTTPRequestHead, at now: Int64) -> Int64? { sessions(of: head, at: now).first?.session.until }

    private func sessions(of head: HTTPRequestHead, at now: Int64) -> [(
        digest: Digest32, session: SessionTable.Session
    )] {
        Self.tokens(in: head).compactMap { token, isEncrypted in
            guard let digest = Digest32(of: token), let session = table.withLock({ $0.session(digest, at: now) }),
                session.isEncrypted == isEncrypted
            else { return nil }
            return (digest, session)
        }
    }

    // MARK: Cookies

    /// Over TLS a name that no other host, and no page without TLS, can have set (RFC 6265bis, 4.1.3.2).
    static func cookieName(isEncrypted: Bool) -> String { isEncrypted ? "__Host-ociai" : "ociai" }

    /// The value of `set-cookie`.
    ///
    /// - Parameter token: nil takes the cookie away.
    static func cookie(_ token: String?, isEncrypted: Bool) -> String {
        "\(cookieName(isEncrypted: isEncrypted))=\(token ?? ""); Path=/; Max-Age=\(token == nil ? 0 : lifetime); HttpOnly; SameSite=Strict"
            + (isEncrypted ? "; Secure" : "")
    }

    /// A browser sends the cookies of all ports of a host, so there may be several.
    private static func tokens(in head: HTTPRequestHead) -> [(token: Substring, isEncrypted: Bool)] {
        let names = [true, false].map { (cookieName(isEncrypted: $0) + "=", $0) }
        let tokens = head.headers["cookie"].flatMap { $0.split(separator: ";") }.compactMap { pair in
            let pair = pair.trimmingBlanks()
            for (name, isEncrypted) in names where pair.hasPrefix(name) {
                let token = pair.dropFirst(name.count)
                if token.utf8.count == 64 { return (token: token, isEncrypted: isEncrypted) }
            }
            return nil
        }
        return Array(tokens.prefix(32))
    }

    /// Why a request of a session may not change anything; nil when it may, or changes nothing. A page of another site cannot make a browser send the
    /// header: no preflight allows it (`CORS`), and the cookie is not sent along from other sites.
    static func objection(to head: HTTPRequestHead, at endpoint: Endpoint) -> Failure? {
        guard head.method != .GET, head.method != .HEAD else { return nil }
        if head.headers.value(of: headerName) != "1" {
            return Failure(
                .forbidden(.role),
                "A request with a dashboard's cookie changes things only with the header x-ociai-dashboard: 1.")
        }
        return LocalAccess.objection(toPageOf: head).map {
            Failure(.forbidden(.page), "The request was refused: \($0).")
        }
    }

    static let headerName: StaticString = "x-ociai-dashboard"
}

/// Sessions by the digests of their tokens, bounded.
struct SessionTable: Sendable {
    struct Session: Equatable, Sendable {
        var key: Digest32
        /// Seconds since 1970.
        var until: Int64
        /// It was begun over TLS.
        var isEncrypted = false
    }

    /// Beyond that the oldest end: some dozens of operators sign in again and again.
    static let capacity = 1000
    /// Of one key: nobody can end the sessions of other keys by signing in.
    static let capacityOfKey = 20

    private var sessions: [Digest32: Session] = [:]

    var count: Int { sessions.count }

    mutating func open(_ digest: Digest32, _ session: Session, at now: Int64) {
        sessions = sessions.filter { $0.value.until > now }
        if sessions.count(where: { $0.value.key == session.key }) >= Self.capacityOfKey {
            closeOldest { $0.key == session.key }
        }
        if sessions.count >= Self.capacity { closeOldest { _ in true } }
        sessions[digest] = session
    }

    private mutating func closeOldest(where isMeant: (Session) -> Bool) {
        let oldest = sessions.filter { isMeant($0.value) }.min { $0.value.until < $1.value.until }
        if let oldest { sessions[oldest.key] = nil }
    }

    mutating func keep(_ isKept: (Session) -> Bool) { sessions = sessions.filter { isKept($0.value) } }

    /// Nil when there is none, or it is over.
    func session(_ digest: Digest32, at now: Int64) -> Session? {
        sessions[digest].flatMap { $0.until > now ? $0 : nil }
    }

    mutating func close(_ digest: Digest32) { sessions[digest] = nil }
}

extension UInt64 {
    /// 16 digits.
    fileprivate var hex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
