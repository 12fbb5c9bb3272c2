import NIOHTTP1

/// The keys that clients may use. A key's name is what logs and statistics show; the key itself never appears.
struct ClientKeys: Sendable {
    enum Verdict: Sendable {
        case none
        case wrong
        case holder(Caller)
    }

    private let keys: [(caller: Caller, bytes: [UInt8], digest: Digest32?)]
    /// Those that administrators have made.
    private let managed: ManagedKeys?
    private let wallClock: @Sendable () -> Int64

    /// - Parameter wallClock: seconds since 1970, for what works until some moment.
    init(
        _ keys: [ClientKey], accounts: KeyAccounts = KeyAccounts(), managed: ManagedKeys? = nil,
        wallClock: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        self.managed = managed
        self.wallClock = wallClock
        self.keys = keys.map {
            (
                Caller(
                    name: $0.name, limits: $0.limits, models: $0.models, account: accounts.account(of: $0.name)),
                Array($0.value.reveal().utf8), Digest32(of: $0.value.reveal()[...])
            )
        }
    }

    /// Those of the file and managed ones.
    var count: Int { keys.count + (managed?.count ?? 0) }

    /// The same by all fields of a head.
    func verdict(on headers: HTTPHeaders) -> Verdict { verdict(on: KnownFields(headers)) }

    /// Whose key the request carries: as `Authorization: Bearer KEY`, `x-api-key` or `api-key`, in this order.
    func verdict(on fields: KnownFields) -> Verdict {
        var verdict = Verdict.none
        func hold(_ offered: Substring?) {
            guard let candidate = offered?.trimmingBlanks(), !candidate.isEmpty else { return }
            if case .holder = verdict { return }
            verdict =
                (holder(of: candidate) ?? managed?.caller(candidate, at: wallClock())).map { .holder($0) } ?? .wrong
        }
        hold(fields.authorization.flatMap { Self.bearer(in: $0) })
        hold(fields.ownKey?[...])
        hold(fields.shortKey?[...])
        return verdict
    }

    /// Whose a key is that somebody shows in another way than a header; nil when it is nobody's.
    func caller(showing key: String) -> Caller? {
        let key = key[...].trimmingBlanks()
        return key.isEmpty ? nil : holder(of: key) ?? managed?.caller(key, at: wallClock())
    }

    /// Whose the key of a digest is, if it still works.
    ///
    /// - Parameter now: seconds since 1970.
    func caller(of digest: Digest32, at now: Int64) -> Caller? {
        let caller = keys.first { $0.digest == digest }?.caller ?? managed?.caller(of: digest, at: now)
        return caller.flatMap { $0.hasExpired(at: now) ? nil : $0 }
    }

    private static func bearer(in authorization: String) -> Substring? {
        let scheme: StaticString = "bearer "
        guard authorization.hasPrefixIgnoringCase(scheme) else { return nil }
        let text = authorization.utf8
        return Substring(text[text.index(text.startIndex, offsetBy: scheme.utf8CodeUnitCount)...])
    }

    /// Compares with every key, to the last byte, so that the time tells nothing about how much of a guess was right.
    private func holder(of candidate: Substring) -> Caller? {
        let view = candidate.utf8
        let candidate = view.span
        var caller: Caller?
        for key in keys where Self.areEqual(key.bytes, candidate) { caller = caller ?? key.caller }
        return caller
    }

    /// Takes the same time wherever the two differ; that they differ in length is no secret.
    private static func areEqual(_ key: [UInt8], _ candidate: Span<UInt8>) -> Bool {
        guard key.count == candidate.count else { return false }
        var difference: UInt8 = 0
        for index in key.indices { difference |= key[index] ^ candidate[index] }
        return difference == 0
    }
}
