import ProxyAccounting

/// Turns a configuration file, INI or JSON, into settings, and collects everything that is wrong with it on the way.
///
/// A value: the file system is asked only through `files`, and nothing is written.
struct SettingsReader {
    let format: ConfigurationFile.Format
    /// What the file says; the first is the root.
    var sections: [SettingSection]
    /// As the messages name it.
    let fileName: String
    let files: KeyFileLookup
    /// What the environment says about credentials.
    let credentials: CredentialEnvironment
    /// `-multi-account`: a file without accounts is then an error.
    let requiresAccounts: Bool

    let problems: [SettingProblem]
    private var warnings: [SettingProblem] = []

    /// How many more names are looked for that somebody may have meant: a file of nothing but faults is not worth the time.
    var suggestions = 100
    /// The client keys so far, by their values.
    var keyNames: [Secret: String] = [:]
    /// How many of the client keys stand first: those of `api_key`, or the first token.
    var firstKeys = 0
    /// What keys are said to be, by their names in lower case.
    var roles: [String: Located<KeyRole>] = [:]
    /// Those that may be guessed, by the names that messages show.
    var shortKeys: [ConfigurationLoader.ShortKey] = []

    /// A key or a token stands in the file itself.
    var holdsSecrets = false

    var settings = Settings()
    var issues: [ConfigurationIssue] = []

    init(
        _ bytes: [UInt8], fileName: String, files: KeyFileLookup,
        credentials: CredentialEnvironment = CredentialEnvironment(),
        requiresAccounts: Bool = false
    ) {
        format = ConfigurationFile.format(of: bytes)
        switch format {
        case .ini:
            let document = INIDocument(bytes)
            sections = document.settingSections
            problems = document.problems
        case .json:
            let document = JSONConfiguration(bytes)
            sections = document.sections
            problems = document.problems
            warnings = document.warnings
        }
        self.fileName = fileName
        self.files = files
        self.credentials = credentials
        self.requiresAccounts = requiresAccounts
    }

    /// Reads it all. The issues are in file order; the settings are worth something only if `isUsable`.
    mutating func read() {
        for problem in problems { report(.error, problem.line, problem.message, problem.fix) }
        for problem in warnings { report(.warning, problem.line, problem.message, problem.fix) }
        // A file that is no JSON has no other faults that anybody could tell.
        if format == .json, sections.allSatisfy(\.entries.isEmpty), !problems.isEmpty { return }
        resolveReferences()

        let accounts = sections(withPrefix: "account_")
        let providers = sections(withPrefix: "provider_")
        settings.mode = mode(hasAccounts: !accounts.isEmpty, hasProviders: !providers.isEmpty)
        switch format {
        case .ini:
            readGlobals(allowingIdentity: settings.mode == .single)
            readBreaker()
        case .json: readAggregatorGlobals()
        }
        switch settings.mode {
        case .single: readSingleAccount()
        case .multiAccount: readAccounts(accounts)
        case .aggregator where !accounts.isEmpty || requiresAccounts: readAccounts(accounts)
        case .aggregator: break
        }
        readClientKeys()
        readModels()
        readProviders(providers)
        readModelFilter()
        readFallbacks()
        readSuccessors()
        readRescue()
        readPrices()
        if format == .ini {
            reportUnknownSections()
        }
        reportIdleSettings()
        reportNothingToServe()
        issues = inFileOrder(issues)
    }

    /// A JSON file is an aggregator whatever it holds. An INI file is one when it names providers and no account, so that
    /// the keys of an account at its root are not missed.
    private func mode(hasAccounts: Bool, hasProviders: Bool) -> Settings.Mode {
        if format == .json { return .aggregator }
        if hasAccounts || requiresAccounts { return .multiAccount }
        let identity = Set(SettingsTable.identity.map(\.name))
        let hasIdentity = sections(named: "").flatMap(\.entries).contains {
            identity.contains($0.name) && $0.isSet
        }
        return hasProviders && !hasIdentity ? .aggregator : .single
    }

    /// No error concerns the whole file, and of the upstreams at least one works.
    var isUsable: Bool {
        !issues.contains { $0.severity == .error && $0.account == nil }
            && !(settings.usableAccounts.isEmpty && settings.providers.isEmpty)
    }

    // MARK: Sections

    func sections(named name: String) -> [SettingSection] {
        sections.filter { $0.name == name }
    }

    func sections(withPrefix prefix: String) -> [SettingSection] {
        sections.filter { $0.name.hasPrefix(prefix) && $0.name.count > prefix.count }
    }

    private mutating func readGlobals(allowingIdentity: Bool) {
        let root = sections(named: "").flatMap(\.entries)
        let identityNames = Set(SettingsTable.identity.map(\.name))
        // The identity is read with the account, `api_key` with the client keys.
        let others = root.filter { entry in
            if entry.name == SettingsTable.clientKey { return false }
            return !identityNames.contains(entry.name)
        }
        if !allowingIdentity {
            for entry in root where identityNames.contains(entry.name) {
                report(
                    .warning, entry.line, "\(entry.name) at the root has no effect in a file with accounts",
                    "move it into the [ACCOUNT_n] sections")
            }
        }
        let known = SettingsTable.global.map(\.name) + SettingsTable.identity.map(\.name) + [SettingsTable.clientKey]
        let inRoot = accepted(others, by: SettingsTable.global, place: "the root", known: known)
        let inSection = accepted(
            sections(named: "global").flatMap(\.entries), by: SettingsTable.global, place: "[GLOBAL]",
            known: SettingsTable.global.map(\.name))
        apply((inRoot + inSection).sorted { $0.line < $1.line }, SettingsTable.global, to: \.settings)
        resolveFiles(among: inRoot + inSection)
    }

    /// The members of a JSON file, over the defaults of that format.
    private mutating func readAggregatorGlobals() {
        for row in SettingsTable.aggregator {
            if let standard = row.standard { _ = row.apply(standard, 1, &settings) }
        }
        let known = SettingsTable.aggregator.map(\.name) + JSONConfiguration.collections
        let entries = accepted(
            sections(named: "").flatMap(\.entries), by: SettingsTable.aggregator, place: "this place", known: known)
        apply(entries, SettingsTable.aggregator, to: \.settings)
        // Somebody who sets the one limit for all answers does not want the other's default to cut them short.
        let isSet = { (name: String) in entries.contains { $0.name == name && !$0.value.isEmpty } }
        if isSet("request_timeout"), !isSet("non_stream_timeout") { settings.timeouts.nonStream = nil }
        resolveFiles(among: entries)
    }

    private mutating func readBreaker() {
        let entries = accepted(
            sections(named: "circuit_breaker").flatMap(\.entries), by: SettingsTable.breaker,
            place: "[CIRCUIT_BREAKER]", known: SettingsTable.breaker.map(\.name))
        apply(entries, SettingsTable.breaker, to: \.settings)
    }

    private mutating func reportUnknownSections() {
        let plain: Set = [
            "", "global", "circuit_breaker", "models", "api_keys", "fallbacks", JSONConfiguration.successors,
            JSONConfiguration.rescue,
            JSONConfiguration.prices,
            JSONConfiguration.models,
        ]
        for section in sections where !plain.contains(section.name) {
            let hasSuffix = ["account_", "provider_", SettingsTable.keyPrefix].contains {
                section.name.hasPrefix($0) && section.name.count > $0.count
            }
            if hasSuffix { continue }
            let nearest = nearest(to: section.name, among: SettingsTable.sections)
            report(
                .warning, section.line, "unknown section \(section.title), it is ignored",
                nearest.map { "did you mean [\($0)]?" }
                    ?? "use one of \(SettingsTable.sections.map { "[\($0)]" }.joined(separator: ", "))")
        }
    }

    private mutating func reportNothingToServe() {
        let upstreams = sections(withPrefix: "account_") + sections(withPrefix: "provider_")
        guard format == .json, problems.isEmpty, upstreams.isEmpty else { return }
        report(
            .error, 1, "the file has neither providers nor oci_accounts, so there is nothing to serve",
            #"add "providers": [{"provider": "NAME", "baseurl": "https://host/v1", "token": "KEY"}]"#)
    }

    /// Settings that concern a kind of upstream that is not there.
    private mutating func reportIdleSettings() {
        func warn(_ key: String, _ reason: String) {
            let entries = (sections(named: "") + sections(named: "global")).flatMap(\.entries)
            guard let entry = entries.last(where: { $0.name == key }), entry.isSet else { return }
            report(.warning, entry.line, "\(setting(key, entry.value)) has no effect \(reason)", "remove it")
        }
        if settings.mode == .aggregator, settings.accounts.isEmpty {
            warn("default_max_tokens", "without accounts, because requests to providers are passed on unchanged")
            if settings.routing.strategy == .weighted {
                warn("load_balance_strategy", "without accounts, because providers have no weight")
            }
        }
        if format == .json, sections(withPrefix: "provider_").isEmpty {
            for row in SettingsTable.connections { warn(row.name, "without providers") }
        }
    }
}
