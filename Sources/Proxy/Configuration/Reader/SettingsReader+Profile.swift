/// `profile = NAME`: the identity that Oracle's own tools use.
extension SettingsReader {
    /// The keys that are taken from a profile.
    private static let profileKeys: Set = [
        "user", "tenancy", "fingerprint", "region", "key_file", "pass_phrase", "security_token_file",
    ]

    /// Fills in what the account does not set itself.
    ///
    /// - Returns: false, with the reason reported, when the profile cannot be read.
    mutating func applyProfile(to draft: inout AccountDraft, _ place: AccountPlace) -> Bool {
        guard let profile = draft.profile else { return true }
        guard let (path, bytes) = profileFile(profile, place) else { return false }
        let file = OCIConfigFile(bytes)
        guard let entries = file.profile(profile.value) else {
            let nearest = NearestName.of(profile.value, among: file.profiles) ?? file.profiles.first
            report(
                .error, profile.line, "profile = \(profile.value): \(path) has no profile with that name",
                nearest.map { "did you mean \($0)? otherwise run 'oci setup config'" } ?? "run 'oci setup config'",
                account: place.owner)
            return false
        }
        var read = AccountDraft()
        var isValid = true
        for row in SettingsTable.identity where Self.profileKeys.contains(row.name) {
            guard let entry = entries[row.name], !row.apply(entry.value, entry.line, &read) else { continue }
            report(
                .error, entry.line,
                row.isSecret ? "the value of \(row.name) is not valid" : "\(row.name) = \(entry.value) is not valid",
                "use \(row.expectation)", in: path, account: place.owner)
            isValid = false
        }
        guard isValid, checkKind(entries, &draft, path, place) else { return false }
        takeRegionOfEnvironment(&read, entries, profile)
        read.place(in: path)
        draft.inherit(read)
        return true
    }

    /// The file that holds the profiles: where `OCI_CONFIG_FILE` says, else `~/.oci/config`.
    private mutating func profileFile(_ profile: Located<String>, _ place: AccountPlace) -> (
        path: String, bytes: [UInt8]
    )? {
        let name = credentials["OCI_CONFIG_FILE"] ?? "~/.oci/config"
        do {
            let path = try files.place(name)
            if let bytes = credentials.read(path) { return (path, bytes) }
            report(
                .error, profile.line, "profile = \(profile.value): \(path) cannot be read",
                "run 'oci setup config', or set OCI_CONFIG_FILE",
                account: place.owner)
        } catch {
            report(
                .error, profile.line, "profile = \(profile.value): \(name) cannot be found because HOME is not set",
                "set HOME or OCI_CONFIG_FILE", account: place.owner)
        }
        return nil
    }

    /// How the profile wants to authenticate, unless the account says so itself.
    private mutating func checkKind(
        _ entries: [String: OCIConfigFile.Entry], _ draft: inout AccountDraft, _ path: String, _ place: AccountPlace
    ) -> Bool {
        if let delegation = entries["delegation_token_file"] {
            report(
                .error, delegation.line, "delegation_token_file is not supported", "use a profile without it", in: path,
                account: place.owner)
            return false
        }
        guard draft.auth == nil else { return true }
        if let type = entries["authentication_type"] {
            guard let kind = AuthKind(rawValue: type.value.lowercased()) else {
                report(
                    .error, type.line, "authentication_type = \(type.value.prefix(40)) is not supported",
                    "use \(ValueKind<AuthKind>.choice.expectation)", in: path, account: place.owner)
                return false
            }
            draft.auth = Located(value: kind, line: type.line, file: path)
        } else if let token = entries["security_token_file"] {
            draft.auth = Located(value: .securityToken, line: token.line, file: path)
        }
        return true
    }

    /// A profile without a region goes by `OCI_REGION`, as Oracle's tools do.
    private mutating func takeRegionOfEnvironment(
        _ read: inout AccountDraft, _ entries: [String: OCIConfigFile.Entry], _ profile: Located<String>
    ) {
        guard read.region == nil, let region = credentials["OCI_REGION"].flatMap({ ValueKind<String>.region.parse($0) })
        else { return }
        read.region = Located(value: region, line: profile.line)
    }
}

extension AccountDraft {
    /// Notes that all this was read from another file than the configuration; its relative paths begin there.
    fileprivate mutating func place(in path: String) {
        let directory = KeyFileLookup.directory(of: path)
        func absolute(_ located: Located<String>?) -> Located<String>? {
            guard var located else { return nil }
            if !located.value.hasPrefix("/"), !located.value.hasPrefix("~") {
                located.value = KeyFileLookup.join(directory, located.value)
            }
            return located
        }
        keyFile = absolute(keyFile)
        securityTokenFile = absolute(securityTokenFile)
        user?.file = path
        tenancy?.file = path
        fingerprint?.file = path
        keyFile?.file = path
        passPhrase?.file = path
        securityTokenFile?.file = path
        region?.file = path
    }

    /// Takes over what is not set here.
    fileprivate mutating func inherit(_ other: AccountDraft) {
        user = user ?? other.user
        tenancy = tenancy ?? other.tenancy
        fingerprint = fingerprint ?? other.fingerprint
        // A passphrase belongs to its key.
        if keyFile == nil { passPhrase = passPhrase ?? other.passPhrase }
        keyFile = keyFile ?? other.keyFile
        securityTokenFile = securityTokenFile ?? other.securityTokenFile
        region = region ?? other.region
    }
}
