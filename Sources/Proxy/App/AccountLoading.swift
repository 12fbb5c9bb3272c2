/// Looks at an account's credentials before anything runs, as far as that is possible without the network.
struct AccountLoading {
    /// The configuration as the user named it.
    let configuration: String
    /// Seconds since 1970.
    let now: Int64

    /// - Returns: nil for the account when it cannot serve; then one of the issues is an error.
    func load(_ account: AccountSettings) -> (account: LoadedAccount?, issues: [ConfigurationIssue]) {
        switch account.credentials {
        case .apiKey(let identity): apiKey(identity, account)
        case .securityToken(let identity): securityToken(identity, account)
        case .resourcePrincipal(let settings): resourcePrincipal(settings, account)
        case .instancePrincipal(let places):
            (LoadedAccount(settings: account, identity: .tokens(.instance(places))), [])
        case .okeWorkloadIdentity(let settings):
            (LoadedAccount(settings: account, identity: .tokens(.workload(settings))), [])
        case .bearer(let key): (LoadedAccount(settings: account, identity: .bearer(key)), [])
        }
    }

    private func apiKey(_ identity: APIKeyIdentity, _ account: AccountSettings) -> (
        LoadedAccount?, [ConfigurationIssue]
    ) {
        let keyFile = SettingPlace(file: identity.keyFileOrigin, line: identity.keyFileLine)
        do {
            let loaded = try KeyFile.load(identity)
            let issues = loaded.warnings.map { warning in
                let parts = warning.split(separator: ";", maxSplits: 1)
                let fix = parts.count > 1 ? String(parts[1].trimmingBlanks()) : "use a 2048-bit key"
                return issue(.warning, keyFile, String(parts[0]), fix, account)
            }
            let keyID = RequestSigner.keyID(
                tenancy: identity.tenancy, user: identity.user, fingerprint: identity.fingerprint)
            return (
                LoadedAccount(settings: account, identity: .key(RequestSigner(keyID: keyID, key: loaded.key))), issues
            )
        } catch {
            let place =
                switch error.culprit {
                case .keyFile: keyFile
                case .passPhrase where identity.passPhraseLine != nil:
                    SettingPlace(file: identity.passPhraseOrigin, line: identity.passPhraseLine)
                case .passPhrase: keyFile
                case .fingerprint: SettingPlace(file: identity.fingerprintOrigin, line: identity.fingerprintLine)
                }
            return (nil, [issue(.error, place, error.message, error.fix, account)])
        }
    }

    /// A session that has expired can be renewed while the proxy runs, so that is a warning only.
    private func securityToken(_ identity: SecurityTokenIdentity, _ account: AccountSettings) -> (
        LoadedAccount?, [ConfigurationIssue]
    ) {
        let files = SessionTokenFile(identity: identity)
        let key: PrivateKey
        do {
            key = try files.key()
        } catch {
            return (nil, [issue(.error, identity.keyFilePlace, error.message, error.fix, account)])
        }
        do {
            let token = try files.token(key: key)
            let expiry = files.expiry(of: token, at: now).map {
                [issue(.warning, identity.tokenFilePlace, $0.message, $0.fix, account)]
            }
            return (LoadedAccount(settings: account, identity: .tokens(.files(identity))), expiry ?? [])
        } catch {
            return (nil, [issue(.error, identity.tokenFilePlace, error.message, error.fix, account)])
        }
    }

    /// What the platform keeps in files it may still put right; what stands in the environment stays as it is.
    private func resourcePrincipal(_ settings: ResourcePrincipalSettings, _ account: AccountSettings) -> (
        LoadedAccount?, [ConfigurationIssue]
    ) {
        let loaded = LoadedAccount(settings: account, identity: .tokens(.resource(settings)))
        do {
            _ = try ResourcePrincipal(settings: settings).fetch(at: now)
            return (loaded, [])
        } catch {
            let mayRecover = settings.token.path != nil
            let issue = issue(
                mayRecover ? .warning : .error, SettingPlace(line: account.line), error.message, error.fix, account)
            return (mayRecover ? loaded : nil, [issue])
        }
    }

    private func issue(
        _ severity: ConfigurationIssue.Severity, _ place: SettingPlace, _ message: String, _ fix: String,
        _ account: AccountSettings
    ) -> ConfigurationIssue {
        ConfigurationIssue(
            severity, file: place.file ?? configuration, line: place.line, message: message, fix: fix,
            account: account.id)
    }
}
