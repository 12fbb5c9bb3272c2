import ProxyAccounting

/// The ledger's documents as an archive: sealed, since they hold what was said, with a secret that is not in the ledger (docs/decisions/0031).
struct SealedDocuments: Sendable {
    private let ledger: any Ledger
    private let cipher: AuthenticatedCipher
    private let time: TimeSource

    /// - Parameter secret: of this installation. Without it nothing of what was kept can be read.
    init(_ ledger: any Ledger, secret: [UInt8], time: TimeSource) {
        self.ledger = ledger
        self.time = time
        cipher = AuthenticatedCipher(secret: secret, for: "ociai-proxy responses 1")
    }

    var archive: ResponseArchive {
        ResponseArchive(
            keep: keep, forget: { names in if !names.isEmpty { ledger.forget(documents: names.map(\.text)) } },
            erase: { name in try await ledger.erase(documents: [name.text]) })
    }

    private func keep(_ name: ResponseArchive.Name, _ bytes: [UInt8], for lifetime: Duration) {
        // Without libcrypto's memory it is not kept.
        guard let sealed = cipher.seal(bytes[...]) else { return }
        let now = time.wallClock()
        ledger.keep(
            StoredDocument(
                id: name.text, key: name.key, created: now, expires: now + lifetime.components.seconds, bytes: sealed))
    }

    /// What processes before have kept and has not expired, the oldest first; and how many documents cannot be opened. Those are forgotten.
    func all() async throws -> (found: [ResponseArchive.Document], lost: Int) {
        let (wall, now) = (time.wallClock(), time.now())
        var lost: [String] = []
        let found = try await ledger.responses(at: wall).compactMap { document -> ResponseArchive.Document? in
            guard let name = ResponseArchive.Name(text: document.id), let bytes = cipher.open(document.bytes) else {
                lost.append(document.id)
                return nil
            }
            return ResponseArchive.Document(
                name: name, bytes: bytes, expires: now + .seconds(document.expires - wall))
        }
        if !lost.isEmpty { ledger.forget(documents: lost) }
        return (found, lost.count)
    }
}

extension ResponseArchive.Name {
    /// An id may have blanks; what stands for a key has none.
    fileprivate var text: String { "\(kind.rawValue) \(key) \(id)" }

    fileprivate init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 3, let kind = ResponseArchive.Kind(rawValue: parts[0]) else { return nil }
        self.init(kind: kind, id: parts[2], key: parts[1])
    }
}
