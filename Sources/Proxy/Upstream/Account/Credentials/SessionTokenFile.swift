/// A session token and its key in files, as `oci session authenticate` and `oci session refresh` write them (OCI wire notes 1.6).
struct SessionTokenFile: FileTokenSource, Equatable {
    let identity: SecurityTokenIdentity

    private static let tokenFix = "run 'oci session refresh', or 'oci session authenticate' when that fails"

    var renewal: TokenRenewal { .beforeExpiry }
    func fetch(at now: Int64) throws(CredentialFailure) -> SessionToken {
        // Taken first, so that a change while we read is seen later.
        let stamps = stamps
        var token = try token(key: try key())
        if let failure = expiry(of: token, at: now) { throw failure }
        token.stamps = stamps
        return token
    }

    /// The session's key.
    func key() throws(CredentialFailure) -> PrivateKey {
        let pem = try CredentialFile.read(identity.keyFile, what: "the session's key", fix: Self.tokenFix)
        do {
            return try PrivateKey(pem: pem, passPhrase: identity.passPhrase)
        } catch {
            throw CredentialFailure("the key file \(identity.keyFile) cannot be used: \(error.reason)", fix: error.fix)
        }
    }

    /// The session's token, be it expired or not.
    func token(key: PrivateKey) throws(CredentialFailure) -> SessionToken {
        let text = try CredentialFile.read(identity.tokenFile, what: "the session's token", fix: Self.tokenFix)
        return try SessionToken(
            String(decoding: text, as: UTF8.self), key: key, source: "the file \(identity.tokenFile)")
    }

    /// What to say when it has expired; nil when it has not. The session may be renewed while we run.
    func expiry(of token: SessionToken, at now: Int64) -> CredentialFailure? {
        guard let expiry = token.expiry, expiry <= now else { return nil }
        return CredentialFailure(
            "the session token in \(identity.tokenFile) expired at \(HTTPDate.format(expiry))", fix: Self.tokenFix)
    }

    var stamps: [FileStamp] { [FileStamp(identity.tokenFile), FileStamp(identity.keyFile)] }

    func hasChanged(since token: SessionToken) -> Bool { token.stamps.contains(where: \.isOutdated) }
}
