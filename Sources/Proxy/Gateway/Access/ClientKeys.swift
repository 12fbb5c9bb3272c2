import NIOHTTP1

/// The keys that clients may use. A key's name is what logs and statistics show; the key itself never appears.
struct ClientKeys: Sendable {
    enum Verdict: Equatable, Sendable {
        case none
        case wrong
        case holder(String)
    }

    private let keys: [(name: String, bytes: [UInt8])]

    init(_ keys: [ClientKey]) {
        self.keys = keys.map { ($0.name, Array($0.value.reveal().utf8)) }
    }

    var count: Int { keys.count }

    /// Whose key the request carries: as `Authorization: Bearer KEY`, `x-api-key` or `api-key`, in this order.
    func verdict(on headers: HTTPHeaders) -> Verdict {
        // Three, and no array of them, which would cost an allocation each time.
        var (bearer, ownName, shortName): (Substring?, Substring?, Substring?)
        var sawAuthorization = false
        for (name, value) in headers {
            switch name.utf8.count {
            case 13 where !sawAuthorization && name.isEqualIgnoringCase(to: "authorization"):
                (sawAuthorization, bearer) = (true, Self.bearer(in: value))
            case 9 where ownName == nil && name.isEqualIgnoringCase(to: "x-api-key"): ownName = value[...]
            case 7 where shortName == nil && name.isEqualIgnoringCase(to: "api-key"): shortName = value[...]
            default: break
            }
        }
        var verdict = Verdict.none
        func hold(_ offered: Substring?) {
            guard let candidate = offered?.trimmingBlanks(), !candidate.isEmpty else { return }
            if case .holder = verdict { return }
            verdict = holder(of: candidate).map { .holder($0) } ?? .wrong
        }
        hold(bearer)
        hold(ownName)
        hold(shortName)
        return verdict
    }

    private static func bearer(in authorization: String) -> Substring? {
        let scheme: StaticString = "bearer "
        guard authorization.hasPrefixIgnoringCase(scheme) else { return nil }
        let text = authorization.utf8
        return Substring(text[text.index(text.startIndex, offsetBy: scheme.utf8CodeUnitCount)...])
    }

    /// Compares with every key, to the last byte, so that the time tells nothing about how much of a guess was right.
    private func holder(of candidate: Substring) -> String? {
        let view = candidate.utf8
        let candidate = view.span
        var name: String?
        for key in keys where Self.areEqual(key.bytes, candidate) { name = name ?? key.name }
        return name
    }

    /// Takes the same time wherever the two differ; that they differ in length is no secret.
    private static func areEqual(_ key: [UInt8], _ candidate: Span<UInt8>) -> Bool {
        guard key.count == candidate.count else { return false }
        var difference: UInt8 = 0
        for index in key.indices { difference |= key[index] ^ candidate[index] }
        return difference == 0
    }
}
