/// What makes an upstream the same in two configurations: all that its calls depend on. How much it may be given (`weight`,
/// `max_concurrency`) and where it stands in the file may change.
struct UpstreamIdentity: Equatable, Sendable {
    private enum Subject: Equatable, Sendable {
        case account(AccountSettings)
        case provider(ProviderSettings.Endpoint)
    }

    private let subject: Subject
    private let connections: NIOTransport.Options

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
