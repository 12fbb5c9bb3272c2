import ProxyAccounting
import Synchronization

/// The keys that administrators have made, as they are looked up: in memory, by their digests. It outlives reloads.
///
/// A change is written down first (`Ledger.save`) and put here then; one at a time for each name.
final class ManagedKeys: Sendable {
    private struct State {
        var keys: [String: ManagedKey] = [:]
        var callers: [Digest32: Known] = [:]
        /// Names whose change is being written.
        var busy: Set<String> = []
    }

    private struct Known {
        let caller: Caller
        /// Seconds since 1970 from which on this value of the key is refused; nil is never.
        let until: Int64?
        let isRevoked: Bool
    }

    private let state = Mutex(State())
    private let accounts: KeyAccounts
    /// Where other instances hear of changes; nil where there are none.
    private let news: KeyNews?

    init(accounts: KeyAccounts, news: KeyNews? = nil) {
        self.accounts = accounts
        self.news = news
    }

    var isEmpty: Bool { state.withLock { $0.callers.isEmpty } }

    var count: Int { state.withLock { $0.keys.count } }

    /// Those that are there, revoked ones too, by name.
    var all: [ManagedKey] { state.withLock { $0.keys.values.sorted { $0.name < $1.name } } }

    subscript(name: String) -> ManagedKey? { state.withLock { $0.keys[name] } }

    /// Whose key it is.
    ///
    /// - Parameters:
    ///   - candidate: what somebody has shown.
    ///   - now: seconds since 1970.
    func caller(_ candidate: Substring, at now: Int64) -> Caller? {
        guard !isEmpty, KeyText.isWellFormed(String(candidate)), let digest = Digest32(of: candidate) else {
            return nil
        }
        return caller(of: digest, at: now)
    }

    /// The same by its digest.
    func caller(of digest: Digest32, at now: Int64) -> Caller? {
        guard let known = state.withLock({ $0.callers[digest] }), !known.isRevoked else { return nil }
        if let until = known.until, until <= now { return nil }
        return known.caller
    }

    /// Claims a name for a change. The file's sections do not tell cases apart, and people do not either.
    ///
    /// - Returns: false while another change of it is being written.
    func begin(_ name: String) -> Bool { state.withLock { $0.busy.insert(name.lowercased()).inserted } }
    func end(_ name: String) { _ = state.withLock { $0.busy.remove(name.lowercased()) } }

    /// Puts a key in the place of what had its name, and tells other instances.
    ///
    /// - Parameter moment: of the change, milliseconds since 1970; nil is now.
    func put(_ key: ManagedKey, changedAt moment: Int64? = nil) {
        hear(key)
        news?.add(key, changedAt: moment)
    }

    /// The same with a key that another instance has told of.
    func hear(_ key: ManagedKey) {
        let caller = Caller(
            name: key.name, limits: key.limits, models: ModelFilter(key.limits.models),
            account: accounts.account(of: key.name), isManaged: true)
        state.withLock { state in
            if let before = state.keys.updateValue(key, forKey: key.name) {
                for digest in before.digests { state.callers[digest] = nil }
            }
            for former in key.former {
                guard let digest = Digest32(former.digest) else { continue }
                state.callers[digest] = Known(caller: caller, until: former.until, isRevoked: key.revoked != nil)
            }
            guard let digest = Digest32(key.digest) else { return }
            state.callers[digest] = Known(caller: caller, until: nil, isRevoked: key.revoked != nil)
        }
    }
}

extension ManagedKey {
    fileprivate var digests: [Digest32] { ([digest] + former.map(\.digest)).compactMap { Digest32($0) } }
}

/// A SHA-256. As it is one of a secret with 190 random bits, how long it takes to find one tells nothing.
struct Digest32: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Nil for what has not 32 bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        func word(_ index: Int) -> UInt64 { bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        words = (word(0), word(1), word(2), word(3))
    }

    /// Of a text's bytes.
    init?(of text: Substring) {
        guard let bytes = SHA256.digest(of: Array(text.utf8)) else { return nil }
        self.init(bytes)
    }

    static func == (left: Digest32, right: Digest32) -> Bool { left.words == right.words }
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension ModelFilter {
    /// Of expressions that have been looked at. One that is broken all the same matches nothing.
    init(_ patterns: [String]) {
        self.init()
        for pattern in patterns { try? add(pattern) }
        // Without any, all models would be allowed.
        if !patterns.isEmpty, self.patterns.isEmpty { try? add("^$") }
    }
}
