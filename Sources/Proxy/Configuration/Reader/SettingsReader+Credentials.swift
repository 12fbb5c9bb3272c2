/// What an account signs with, once its keys have been read.
extension SettingsReader {
    /// Fills in what the environment knows for a kind of authentication (OCI wire notes 1.8, 1.9).
    mutating func applyEnvironment(to draft: inout AccountDraft, _ auth: AuthKind, _ place: AccountPlace) {
        switch auth {
        case .resourcePrincipal:
            takeRegion("OCI_RESOURCE_PRINCIPAL_REGION", into: &draft, place)
            // The token names the tenancy, which is the default compartment.
            if draft.tenancy == nil, let settings = try? credentials.resourcePrincipal(),
                let tenancy = tenancy(in: settings.token)
            {
                draft.tenancy = Located(value: tenancy, line: draft.auth?.line ?? place.line)
            }
        case .okeWorkloadIdentity: takeRegion("OCI_RESOURCE_PRINCIPAL_REGION", into: &draft, place)
        case .apiKey, .securityToken, .instancePrincipal, .bearer: break
        }
    }

    private mutating func takeRegion(_ variable: String, into draft: inout AccountDraft, _ place: AccountPlace) {
        guard draft.region == nil, place.line(of: "region") == nil, let text = credentials[variable] else { return }
        let line = draft.auth?.line ?? place.line
        guard let region = ValueKind<String>.region.parse(text) else {
            return report(.warning, line, "\(variable) in the environment is not a region", "set region")
        }
        draft.region = Located(value: region, line: line)
    }

    private func tenancy(in token: ResourcePrincipalSettings.Value) -> String? {
        let text: String? =
            switch token {
            case .text(let secret): secret.reveal()
            case .file(let path): credentials.read(path).map { String(decoding: $0, as: UTF8.self) }
            }
        guard let text else { return nil }
        return TokenClaims(of: text.filter { !$0.isWhitespace }).tenancy.flatMap(ValueKind<String>.identifier.parse)
    }

    /// Nil, with the reasons reported, when something is missing or not valid.
    mutating func credentials(of draft: AccountDraft, _ auth: AuthKind, _ place: AccountPlace) -> Credentials? {
        switch auth {
        case .apiKey: return apiKey(of: draft, place)
        case .securityToken:
            let keyFile = keyFile(of: draft, place)
            let tokenFile = existing(
                draft.securityTokenFile?.value, key: "security_token_file", draft.securityTokenFile?.line ?? place.line,
                in: draft.securityTokenFile?.file, account: place.owner)
            guard let keyFile, let tokenFile else { return nil }
            return .securityToken(
                SecurityTokenIdentity(
                    tokenFile: tokenFile, keyFile: keyFile, passPhrase: draft.passPhrase?.value,
                    tokenFilePlace: draft.securityTokenFile?.place ?? .init(),
                    keyFilePlace: draft.keyFile?.place ?? .init()))
        case .instancePrincipal: return .instancePrincipal(credentials.instancePrincipal)
        case .resourcePrincipal:
            do {
                return .resourcePrincipal(try credentials.resourcePrincipal())
            } catch {
                report(
                    .error, draft.auth?.line ?? place.line,
                    "auth = resource_principal is not available: environment variable \(error.reason)",
                    "run the proxy in an OCI function, container instance or job, or use another auth",
                    in: draft.auth?.file,
                    account: place.owner)
                return nil
            }
        case .okeWorkloadIdentity: return workloadIdentity(of: draft, place)
        case .bearer: return bearer(draft, place)
        }
    }

    private mutating func apiKey(of draft: AccountDraft, _ place: AccountPlace) -> Credentials? {
        guard let keyFile = keyFile(of: draft, place), let user = draft.user, let tenancy = draft.tenancy,
            let fingerprint = draft.fingerprint
        else { return nil }
        var identity = APIKeyIdentity(
            user: user.value, tenancy: tenancy.value, fingerprint: fingerprint.value, keyFile: keyFile,
            passPhrase: draft.passPhrase?.value, keyFileLine: draft.keyFile?.line, fingerprintLine: fingerprint.line,
            passPhraseLine: draft.passPhrase?.line)
        identity.keyFileOrigin = draft.keyFile?.file
        identity.fingerprintOrigin = fingerprint.file
        identity.passPhraseOrigin = draft.passPhrase?.file
        return .apiKey(identity)
    }

    private mutating func bearer(_ draft: AccountDraft, _ place: AccountPlace) -> Credentials? {
        guard let key = draft.bearerKey else { return nil }
        guard key.value.reveal().utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            report(
                .error, key.line, "bearer_key contains an invalid character",
                "copy the Generative AI API key again, without spaces", account: place.owner)
            return nil
        }
        return .bearer(key.value)
    }

    private mutating func keyFile(of draft: AccountDraft, _ place: AccountPlace) -> String? {
        existing(
            draft.keyFile?.value, key: "key_file", draft.keyFile?.line ?? place.line, in: draft.keyFile?.file,
            account: place.owner)
    }

    private mutating func workloadIdentity(of draft: AccountDraft, _ place: AccountPlace) -> Credentials? {
        let fix = "run the proxy in a pod of an OKE cluster, with a service account, or use another auth"
        do {
            let settings = try credentials.workloadIdentity()
            for file in [settings.serviceAccountToken, settings.authority].compactMap({ $0 })
            where !files.fileExists(file) {
                report(
                    .error, draft.auth?.line ?? place.line,
                    "auth = oke_workload_identity is not available: \(file) does not exist", fix,
                    in: draft.auth?.file, account: place.owner)
                return nil
            }
            return .okeWorkloadIdentity(settings)
        } catch {
            report(
                .error, draft.auth?.line ?? place.line,
                "auth = oke_workload_identity is not available: environment variable \(error.reason)", fix,
                in: draft.auth?.file, account: place.owner)
            return nil
        }
    }
}

extension AccountDraft {
    /// Whether a required key has a value, from wherever.
    func has(_ key: String) -> Bool {
        switch key {
        case "user": user != nil
        case "fingerprint": fingerprint != nil
        case "key_file": keyFile != nil
        case "tenancy": tenancy != nil
        case "region": region != nil
        case "compartment": compartment != nil
        case "security_token_file": securityTokenFile != nil
        case "bearer_key": bearerKey != nil
        default: false
        }
    }
}
