/// The credentials that Oracle's platform puts into functions, container instances and jobs: a resource principal of version 2.2
/// (OCI wire notes 1.8).
struct ResourcePrincipal: FileTokenSource, Equatable {
    let settings: ResourcePrincipalSettings

    var renewal: TokenRenewal { .beforeExpiry }
    func fetch(at now: Int64) throws(CredentialFailure) -> SessionToken {
        let stamps = stamps
        let key = try key()
        let text = String(decoding: try settings.token.read("OCI_RESOURCE_PRINCIPAL_RPST"), as: UTF8.self)
        var fetched = try SessionToken(text, key: key, source: "OCI_RESOURCE_PRINCIPAL_RPST")
        if let expiry = fetched.expiry, expiry <= now {
            throw CredentialFailure(
                "the token in OCI_RESOURCE_PRINCIPAL_RPST expired at \(HTTPDate.format(expiry))",
                fix: settings.token.path == nil
                    ? "restart the process with a new one" : "wait until the platform writes a new one")
        }
        fetched.stamps = stamps
        return fetched
    }

    private func key() throws(CredentialFailure) -> PrivateKey {
        let pem = try settings.privateKey.read("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM")
        var phrase: Secret?
        if let value = settings.passPhrase {
            let text = String(decoding: try value.read("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE"), as: UTF8.self)
            phrase = Secret(String(text.prefix { !$0.isNewline }))
        }
        do {
            return try PrivateKey(pem: pem, passPhrase: phrase)
        } catch {
            throw CredentialFailure(
                "the key in OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM cannot be used: \(error.reason)",
                fix: "restart the function or container")
        }
    }

    var stamps: [FileStamp] {
        [settings.token, settings.privateKey, settings.passPhrase].compactMap { $0?.path.map(FileStamp.init) }
    }

    func hasChanged(since token: SessionToken) -> Bool { token.stamps.contains(where: \.isOutdated) }
}

extension ResourcePrincipalSettings.Value {
    fileprivate func read(_ what: String) throws(CredentialFailure) -> [UInt8] {
        switch self {
        case .text(let secret): Array(secret.reveal().utf8)
        case .file(let path):
            try CredentialFile.read(
                path, what: what, fix: "restart the function or container; the platform writes the file")
        }
    }
}
