/// The accounts: one at the root, or one in each `[ACCOUNT_n]`.
extension SettingsReader {
    /// The id of the account that stands at the root.
    static let singleAccountID = "default"

    /// The identity at the root. Its errors concern the whole file, since there is nothing else to serve.
    mutating func readSingleAccount() {
        let identity = Set(SettingsTable.identity.map(\.name))
        let entries = sections(named: "").flatMap(\.entries).filter { identity.contains($0.name) }
        var draft = AccountDraft()
        draft.maxConcurrency = settings.limits.globalMaxConcurrency
        let before = issues.count
        apply(entries, SettingsTable.identity, to: &draft, account: nil)
        let account = complete(
            draft, AccountPlace(id: Self.singleAccountID, line: 1, name: "the root", owner: nil, entries: entries))
        let errors = inFileOrder(issues[before...].filter { $0.severity == .error })
        settings.accounts = [
            account.map(AccountEntry.usable) ?? .unusable(id: Self.singleAccountID, line: 1, errors: errors)
        ]
    }

    /// Every `[ACCOUNT_n]`. The errors of one make it unusable and leave the others alone.
    mutating func readAccounts(_ sections: [SettingSection]) {
        if sections.isEmpty {
            let keys = "user, fingerprint, key_file, tenancy and region, or start without -multi-account"
            return format == .json
                ? report(
                    .error, 1, "-multi-account is given, but the file has no oci_accounts",
                    "add oci_accounts with \(keys)")
                : report(
                    .error, 1, "-multi-account is given, but the file has no [ACCOUNT_n] section",
                    "add [ACCOUNT_1] with \(keys)")
        }
        var lines: [String: Int] = [:]
        for section in sections { readAccount(section, lines: &lines) }
        if !settings.usableAccounts.isEmpty, settings.usableAccounts.allSatisfy({ !$0.isEnabled }) {
            report(
                .warning, sections[0].line, "no account is enabled",
                "set \(setting("enabled", "true")) for at least one")
        }
    }

    /// - Parameter lines: the ids that are taken, with the line of each.
    private mutating func readAccount(_ section: SettingSection, lines: inout [String: Int]) {
        let title = section.title
        // The id must be known before the first error, which bears it.
        let named = section.entries.last { $0.name == "id" }.flatMap { $0.value.isEmpty ? nil : $0 }
        let id = named.flatMap { ValueKind<String>.name.parse($0.value) } ?? section.name
        let before = issues.count

        var draft = AccountDraft()
        let entries = accepted(
            section.entries, by: SettingsTable.account, place: title, known: SettingsTable.account.map(\.name))
        apply(entries, SettingsTable.account, to: &draft, account: id)

        let idLine = named?.line ?? section.line
        if let first = lines[id.lowercased()] {
            report(
                .error, idLine, "duplicate account id \(id), already used in line \(first)",
                format == .json ? "change one of the two ids" : "change one of the two ids or section names",
                account: id)
        } else {
            lines[id.lowercased()] = idLine
        }
        let place = AccountPlace(id: id, line: section.line, name: title, owner: id, entries: entries)
        let account = complete(draft, place)
        let errors = inFileOrder(issues[before...].filter { $0.severity == .error })
        if let account, errors.isEmpty {
            settings.accounts.append(.usable(account))
        } else {
            settings.accounts.append(.unusable(id: id, line: section.line, errors: errors))
        }
    }
}

/// Where an account stands, for messages about what is not there.
struct AccountPlace {
    let id: String
    let line: Int
    /// `[ACCOUNT_2]` or `the root`.
    let name: String
    /// The id that errors bear; nil for the only account.
    let owner: String?
    let entries: [SettingEntry]

    /// The line that sets `key` to something, if any does.
    func line(of key: String) -> Int? {
        entries.last { $0.name == key }.flatMap { $0.isSet ? $0.line : nil }
    }
}

extension SettingsReader {
    /// The keys that each kind of authentication needs. `region` may be left out where the environment knows it.
    private static func requiredKeys(_ auth: AuthKind) -> [String] {
        switch auth {
        case .apiKey: ["user", "fingerprint", "key_file", "tenancy", "region"]
        case .securityToken: ["security_token_file", "key_file", "region"]
        case .bearer: ["bearer_key", "compartment", "region"]
        case .instancePrincipal, .resourcePrincipal, .okeWorkloadIdentity: ["region"]
        }
    }

    /// The keys that only some kinds of authentication use.
    private static let particularKeys: [String: Set<AuthKind>] = [
        "user": [.apiKey],
        "fingerprint": [.apiKey],
        "key_file": [.apiKey, .securityToken],
        "pass_phrase": [.apiKey, .securityToken],
        "security_token_file": [.securityToken],
        "bearer_key": [.bearer],
        "profile": [.apiKey, .securityToken, .instancePrincipal, .resourcePrincipal, .okeWorkloadIdentity],
    ]

    /// Checks what one key alone cannot tell. Nil, with the reasons reported, when the account cannot be used.
    private mutating func complete(_ draft: AccountDraft, _ place: AccountPlace) -> AccountSettings? {
        var draft = draft
        guard applyProfile(to: &draft, place) else { return nil }
        let auth = draft.auth?.value ?? .apiKey
        applyEnvironment(to: &draft, auth, place)
        for key in Self.requiredKeys(auth) where place.line(of: key) == nil && !draft.has(key) {
            reportMissing(key, auth, place)
        }
        for (key, kinds) in Self.particularKeys.sorted(by: { $0.key < $1.key }) where !kinds.contains(auth) {
            guard let line = place.line(of: key) else { continue }
            report(.warning, line, "\(key) has no effect with auth = \(auth.rawValue)", "remove it, or correct auth")
        }
        warnAboutOCIDs(draft)
        warnAboutRegion(draft)
        warnAboutPlainHTTP(draft)
        let credentials = credentials(of: draft, auth, place)
        // The tenancy is the default; where it is not known, somebody has to name one of the two.
        let compartment = draft.compartment?.value ?? draft.tenancy?.value
        if auth != .apiKey, compartment == nil, ["compartment", "tenancy"].allSatisfy({ place.line(of: $0) == nil }) {
            reportMissing("compartment", auth, place)
        }

        // Whatever is absent here has been reported above, as missing or as not valid.
        guard let credentials, let compartment, let region = draft.region?.value else { return nil }
        let isInvalid = { (key: String, value: Bool) in place.line(of: key) != nil && !value }
        if isInvalid("compartment", draft.compartment != nil) || isInvalid("endpoint", draft.endpoint != nil)
            || isInvalid("management_endpoint", draft.managementEndpoint != nil)
            || isInvalid("project", draft.project != nil)
        {
            return nil
        }
        let endpoint = draft.endpoint?.value
        return AccountSettings(
            id: place.id, line: place.line, credentials: credentials, tenancy: draft.tenancy?.value,
            compartment: compartment, region: region,
            endpoint: endpoint ?? RegionTable.inferenceEndpoint(region),
            managementEndpoint: draft.managementEndpoint?.value ?? endpoint ?? RegionTable.managementEndpoint(region),
            weight: draft.weight, maxConcurrency: draft.maxConcurrency ?? 50, isEnabled: draft.isEnabled,
            project: draft.project?.value)
    }

    mutating func reportMissing(_ key: String, _ auth: AuthKind, _ place: AccountPlace) {
        let empty = place.entries.last { $0.name == key }
        let use = auth == .apiKey ? "" : ", which auth = \(auth.rawValue) needs"
        let example = Self.examples[key] ?? "VALUE"
        if let empty {
            report(
                .error, empty.line, "\(key) in \(place.name) is empty\(use)", "write \(self.example(key, example))",
                account: place.owner)
        } else {
            let whereTo = place.owner == nil ? "at the root, before the first section" : "to \(place.name)"
            report(
                .error, place.line, "\(key) is missing in \(place.name)\(use)",
                "add \(self.example(key, example)) \(whereTo)",
                account: place.owner)
        }
    }

    private static let examples = [
        "user": "ocid1.user.oc1..", "fingerprint": "aa:bb:...", "key_file": "oci_api_key.pem",
        "tenancy": "ocid1.tenancy.oc1..", "region": "us-chicago-1", "compartment": "ocid1.compartment.oc1..",
        "security_token_file": "~/.oci/sessions/DEFAULT/token", "bearer_key": "KEY",
        "project": "ocid1.generativeaiproject.oc1..",
    ]

    private mutating func warnAboutOCIDs(_ draft: AccountDraft) {
        let checks: [(String, Located<String>?, [String])] = [
            ("user", draft.user, ["ocid1.user.", "ocid1.saml2user."]),
            ("tenancy", draft.tenancy, ["ocid1.tenancy."]),
            ("compartment", draft.compartment, ["ocid1.compartment.", "ocid1.tenancy."]),
            ("project", draft.project, ["ocid1.generativeaiproject."]),
        ]
        for (key, located, prefixes) in checks {
            guard let located, !prefixes.contains(where: located.value.lowercased().hasPrefix) else { continue }
            report(
                .warning, located.line, "\(key) = \(located.value) does not look like the OCID of a \(key)",
                "copy the OCID that begins with \(prefixes[0]) from the OCI console", in: located.file)
        }
    }

    private mutating func warnAboutRegion(_ draft: AccountDraft) {
        guard let region = draft.region, RegionTable.region(region.value) == nil else { return }
        let nearest = RegionTable.nearest(to: region.value)
        let consequence = draft.endpoint == nil ? ", realm oc1 is assumed" : ""
        report(
            .warning, region.line, "region \(region.value) is unknown\(consequence)",
            nearest.map { "did you mean \($0)? otherwise set endpoint and management_endpoint" }
                ?? "set endpoint and management_endpoint", in: region.file)
    }

    private mutating func warnAboutPlainHTTP(_ draft: AccountDraft) {
        for (key, url) in [("endpoint", draft.endpoint), ("management_endpoint", draft.managementEndpoint)] {
            guard let url, url.value.scheme == .http, !url.value.isLoopback else { continue }
            report(
                .warning, url.line, "\(key) = \(url.value) sends prompts and answers unencrypted",
                "use https unless the network is trusted")
        }
    }
}
