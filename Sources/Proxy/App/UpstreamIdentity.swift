/// What makes an upstream the same in two configurations: all that its calls depend on. How much it may be given (`weight`,
/// `max_concurrency`) and where it stands in the file may change.
struct UpstreamIdentity: Equatable, Sendable {
    private enum Subject: Equatable, Sendable {
        case account(AccountSettings)
        case provider(ProviderSettings.Endpoint)
    }

    private let subject: Subject
    private let connections: NIOTransport.Options

    /// Tells the same upstream again in another process, and nothing of what is secret about it. Short; empty without libcrypto's memory.
    ///
    /// - Parameter secret: that of this installation, without which a token could be guessed by its mark.
    func mark(by secret: [UInt8]) -> String {
        let texts: [String] =
            switch subject {
            case .account(let account):
                ["oci", account.compartment, account.region] + account.endpoint.parts + account.credentials.identity
            case .provider(let provider):
                ["provider", provider.name] + provider.baseURL.parts + [provider.token?.reveal() ?? ""]
            }
        var input = secret
        for text in texts { input += [0] + text.utf8 }
        return String(decoding: Base64.encode(Array((SHA256.digest(of: input) ?? []).prefix(12))), as: UTF8.self)
    }

    /// The same in all instances that share limits, and nothing of what is secret.
    ///
    /// - Parameter id: as the configuration names it.
    func sharedName(_ id: String) -> String {
        let texts: [String] =
            switch subject {
            case .account(let account):
                [account.compartment, account.region] + account.endpoint.parts + account.credentials.publicIdentity
            case .provider(let provider): [provider.name] + provider.baseURL.parts
            }
        let digest = SHA256.digest(of: texts.flatMap { [0] + $0.utf8 }) ?? []
        return "upstream/\(id)/" + String(decoding: Base64.encode(Array(digest.prefix(9))), as: UTF8.self)
    }

    init(_ account: AccountSettings, over connections: NIOTransport.Options) {
        subject = .account(account.withoutPlacesAndShares)
        self.connections = connections
    }

    init(_ provider: ProviderSettings, over connections: NIOTransport.Options) {
        subject = .provider(provider.endpoint)
        self.connections = connections
    }
}

extension AccountSettings {
    fileprivate var withoutPlacesAndShares: AccountSettings {
        var account = self
        account.line = 0
        account.weight = 1
        account.maxConcurrency = 1
        switch account.credentials {
        case .apiKey(var identity):
            (identity.keyFileLine, identity.fingerprintLine, identity.passPhraseLine) = (nil, nil, nil)
            (identity.keyFileOrigin, identity.fingerprintOrigin, identity.passPhraseOrigin) = (nil, nil, nil)
            account.credentials = .apiKey(identity)
        case .securityToken(var identity):
            (identity.tokenFilePlace, identity.keyFilePlace) = (SettingPlace(), SettingPlace())
            account.credentials = .securityToken(identity)
        case .instancePrincipal, .resourcePrincipal, .okeWorkloadIdentity, .bearer: break
        }
        return account
    }
}

extension Credentials {
    /// What makes another identity when it changes.
    fileprivate var identity: [String] {
        switch self {
        case .apiKey(let identity): ["api_key", identity.user, identity.tenancy, identity.fingerprint]
        case .securityToken(let identity): ["security_token", identity.tokenFile]
        case .instancePrincipal: ["instance_principal"]
        case .resourcePrincipal: ["resource_principal"]
        case .okeWorkloadIdentity(let identity): ["oke_workload_identity", identity.service]
        case .bearer(let key): ["bearer", key.reveal()]
        }
    }
}

extension Credentials {
    /// Without what is secret.
    fileprivate var publicIdentity: [String] {
        if case .bearer = self { ["bearer"] } else { identity }
    }
}

extension BaseURL {
    fileprivate var parts: [String] { [scheme.rawValue, host, "\(port)", path] }
}
