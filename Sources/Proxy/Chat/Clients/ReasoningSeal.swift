/// Hands a model's reasoning to a client that may keep it and not read it, and knows it again: AES-256-GCM under a key that is drawn from the client's own. So
/// it needs no memory here, survives a restart, and is worth nothing to another client (docs/decisions/0027).
struct ReasoningSeal: Sendable {
    private let cipher: AuthenticatedCipher

    private static let prefix = "gw1."

    /// - Parameter secret: the client's key.
    init(secret: [UInt8]) { cipher = AuthenticatedCipher(secret: secret, for: "ociai-proxy reasoning 1") }

    /// Stands for the client's key and no other, and tells nothing of it.
    var owner: String { cipher.name }

    /// What stands for a text that the client has seen.
    static let empty = prefix

    /// - Parameter text: escaped, as it is kept.
    /// - Returns: with nothing in it that JSON escapes.
    func seal(_ text: ArraySlice<UInt8>) -> String {
        guard !text.isEmpty, let sealed = cipher.seal(text) else { return Self.prefix }
        return Self.prefix + String(decoding: Base64.encodeForURL(sealed), as: UTF8.self)
    }

    /// The text, escaped; nil for what is somebody else's, or has been changed.
    func open(_ sealed: ArraySlice<UInt8>) -> [UInt8]? {
        guard sealed.starts(with: Self.prefix.utf8) else { return nil }
        let characters = sealed.dropFirst(Self.prefix.utf8.count)
        guard !characters.isEmpty else { return [] }
        return Base64.decode(characters).flatMap(cipher.open)
    }
}
