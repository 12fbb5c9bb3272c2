/// A token with the key that belongs to it, as a signer.
struct SessionToken: Sendable {
    let signer: RequestSigner
    /// Seconds since 1970; nil for a token that does not say.
    let expiry: Int64?
    /// The files that it was read from, as they were then; empty for a token that a service issued.
    var stamps: [FileStamp] = []

    /// - Parameter token: as a file or a service gives it: with or without `ST$`, blanks around it.
    /// - Throws: when it cannot be part of a header.
    init(_ token: String, key: PrivateKey, source: String) throws(CredentialFailure) {
        let text = String(token.trimmingBlanksAndLineEnds())
        let bare = text.hasPrefix("ST$") ? String(text.dropFirst(3)) : text
        guard !bare.isEmpty else { throw CredentialFailure("\(source) contains no token", fix: "create a new one") }
        // It becomes part of `keyId="..."`.
        guard
            bare.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else {
            throw CredentialFailure("\(source) does not contain a valid token", fix: "create a new one")
        }
        signer = RequestSigner(keyID: RequestSigner.keyID(sessionToken: bare), key: key)
        expiry = TokenClaims(of: bare).expiry
    }
}

extension String {
    fileprivate func trimmingBlanksAndLineEnds() -> Substring {
        var text = self[...]
        while let first = text.unicodeScalars.first, first.properties.isWhitespace {
            text = Substring(text.unicodeScalars.dropFirst())
        }
        while let last = text.unicodeScalars.last, last.properties.isWhitespace {
            text = Substring(text.unicodeScalars.dropLast())
        }
        return text
    }
}
