/// Turns an INI file into settings, and collects everything that is wrong with it on the way.
///
/// A value: the file system is asked only through `files`, and nothing is written.
struct SettingsReader {
    let document: INIDocument
    /// As the messages name it.
    let fileName: String
    let files: KeyFileLookup
    /// What the environment says about credentials.
    let credentials: CredentialEnvironment
    /// `-multi-account`: a file without accounts is then an error.
    let requiresAccounts: Bool

    var settings = Settings()
    var issues: [ConfigurationIssue] = []

    init(document: INIDocument, fileName: String, files: KeyFileLookup, credentials: CredentialEnvironment, requiresAccounts: Bool) {
        self.document = document
        self.fileName = fileName
        self.files = files
        self.credentials = credentials
        self.requiresAccounts = requiresAccounts
    }

    /// Reads it all. The issues are in file order; the settings are worth something only if `isUsable`.
    mutating func read() {
        for problem in document.problems {
            report(.error, problem.line, problem.message, problem.mend)
        }
        let accounts = sections(withPrefix: "account_")
        let isSingle = accounts.isEmpty && !requiresAccounts
        settings.mode = isSingle ? .single : .multiAccount

        readGlobals(allowingIdentity: isSingle)
        readBreaker()
        if isSingle {
            readSingleAccount()
        } else {
            readAccounts(accounts)
        }
        readClientKeys()
        readModels()
        readFallbacks()
        for section in sections(withPrefix: "provider_") { readProvider(section) }
        reportUnknownSections()
        reportUnservedSections()
        issues = inFileOrder(issues)
    }

    /// No error concerns the whole file, and of the accounts at least one works.
    var isUsable: Bool {
        !issues.contains { $0.severity == .error && $0.account == nil } && !settings.usableAccounts.isEmpty
    }

    // MARK: Sections

    func sections(named name: String) -> [INIDocument.Section] {
        document.sections.filter { $0.name == name }
    }

    func sections(withPrefix prefix: String) -> [INIDocument.Section] {
        document.sections.filter { $0.name.hasPrefix(prefix) && $0.name.count > prefix.count }
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

    private mutating func readBreaker() {
        let entries = accepted(
            sections(named: "circuit_breaker").flatMap(\.entries), by: SettingsTable.breaker,
            place: "[CIRCUIT_BREAKER]", known: SettingsTable.breaker.map(\.name))
        apply(entries, SettingsTable.breaker, to: \.settings)
    }

    private mutating func reportUnknownSections() {
        let plain: Set = ["", "global", "circuit_breaker", "models", "api_keys", "fallbacks"]
        for section in document.sections where !plain.contains(section.name) {
            let hasSuffix = ["account_", "provider_"].contains {
                section.name.hasPrefix($0) && section.name.count > $0.count
            }
            if hasSuffix { continue }
            let nearest = NearestName.of(section.name, among: SettingsTable.sections)
            report(
                .warning, section.line, "unknown section [\(INIDocument.shown(section.title))], it is ignored",
                nearest.map { "did you mean [\($0)]?" }
                    ?? "use one of \(SettingsTable.sections.map { "[\($0)]" }.joined(separator: ", "))")
        }
    }

    private mutating func reportUnservedSections() {
        for section in document.sections {
            let isUnserved = UnservedSettings.sections.contains { name in
                name.hasSuffix("_")
                    ? section.name.hasPrefix(name) && section.name.count > name.count
                    : section.name == name
            }
            if isUnserved {
                report(
                    .warning, section.line, "[\(INIDocument.shown(section.title))] has no effect in this version",
                    "remove it, or keep it for a later version")
            }
        }
    }

    // MARK: Files

    /// Makes the paths absolute and checks that what must exist does.
    private mutating func resolveFiles(among entries: [INIDocument.Entry]) {
        func line(_ name: String) -> Int { entries.last { $0.name == name }?.line ?? 1 }
        settings.server.tlsCertificate = existing(settings.server.tlsCertificate, key: "tls_cert", line("tls_cert"))
        settings.server.tlsKey = existing(settings.server.tlsKey, key: "tls_key", line("tls_key"))
        settings.caFile = existing(settings.caFile, key: "ca_file", line("ca_file"))
        if settings.logging.file?.lowercased() == "stderr" { settings.logging.file = nil }
        if let path = settings.logging.file {
            do {
                settings.logging.file = try files.place(path)
            } catch {
                reportMissing(error, key: "log_file", path: path, line("log_file"), account: nil)
            }
        }
        let isSet = { (name: String) in entries.last { $0.name == name }.map { !$0.value.isEmpty } ?? false }
        for (given, missing) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] where isSet(given) && !isSet(missing)
        {
            report(.error, line(given), "\(given) is set without \(missing)", "set both, or neither")
        }
    }

    /// The path where the file stands; nil, with an error reported, when it does not.
    mutating func existing(_ path: String?, key: String, _ line: Int, in file: String? = nil, account: String? = nil) -> String? {
        guard let path else { return nil }
        // Somebody put the key itself there, in one line. It must not come back in the message about a missing file.
        guard !path.contains("-----BEGIN") else {
            report(
                .error, line, "\(key) holds a PEM text and not the name of a file",
                "put the PEM text into a file of its own and name that as \(key)", account: account)
            return nil
        }
        do {
            return try files.find(path)
        } catch {
            reportMissing(error, key: key, path: path, line, in: file, account: account)
            return nil
        }
    }

    private mutating func reportMissing(
        _ failure: KeyFileLookup.Failure, key: String, path: String, _ line: Int, in file: String? = nil, account: String?
    ) {
        switch failure {
        case .missing(let candidates):
            report(
                .error, line, "\(key) = \(path): no such file (looked for \(candidates.joined(separator: " and ")))",
                "correct the path, or put the file there", in: file, account: account)
        case .noHome:
            report(
                .error, line, "\(key) = \(path): ~ cannot be expanded, since HOME is not set",
                "write the whole path", in: file, account: account)
        }
    }
}

// MARK: - Entries

extension SettingsReader {
    /// The entries that `table` knows, without those that a later line overrides. Reports unknown and misplaced keys.
    ///
    /// - Parameter known: the names among which the nearest is looked for.
    mutating func accepted<Target>(
        _ entries: [INIDocument.Entry], by table: [SettingKey<Target>], place: String, known: [String],
        account: String? = nil
    ) -> [INIDocument.Entry] {
        let names = Set(table.map(\.name))
        return entries.filter { entry in
            if names.contains(entry.name) { return true }
            reportUnknown(entry, place: place, known: known)
            return false
        }
    }

    private mutating func reportUnknown(_ entry: INIDocument.Entry, place: String, known: [String]) {
        let shown = INIDocument.shown(entry.key)
        let places = SettingsTable.places(of: entry.name)
        if !places.isEmpty {
            report(
                .warning, entry.line, "\(shown) has no effect in \(place)",
                "move it to \(places.joined(separator: " or "))")
        } else if let nearest = NearestName.of(entry.name, among: known) {
            report(.warning, entry.line, "unknown key \(shown), it is ignored", "did you mean \(nearest)?")
        } else {
            report(.warning, entry.line, "unknown key \(shown), it is ignored", "remove it")
        }
    }

    /// The last entry of each name, in file order. Reports the others.
    mutating func withoutOverridden(_ entries: [INIDocument.Entry]) -> [INIDocument.Entry] {
        var last: [String: INIDocument.Entry] = [:]
        for entry in entries {
            if let earlier = last[entry.name] {
                report(
                    .warning, entry.line,
                    "\(INIDocument.shown(entry.key)) is set again: this line wins over line \(earlier.line)",
                    "remove one of the two")
            }
            last[entry.name] = entry
        }
        return entries.filter { last[$0.name] == $0 }
    }

    /// Puts the entries where the table says; an empty value leaves the default. The table knows all `entries`, which
    /// are in file order.
    mutating func apply<Target>(
        _ entries: [INIDocument.Entry], _ table: [SettingKey<Target>], to path: WritableKeyPath<SettingsReader, Target>
    ) {
        var target = self[keyPath: path]
        apply(entries, table, to: &target, account: nil)
        self[keyPath: path] = target
    }

    /// The same for a target of the caller's; the errors are the account's when one is given.
    mutating func apply<Target>(
        _ entries: [INIDocument.Entry], _ table: [SettingKey<Target>], to target: inout Target, account: String?
    ) {
        for entry in withoutOverridden(entries) where !entry.value.isEmpty {
            guard let row = table.first(where: { $0.name == entry.name }) else { continue }
            if !row.apply(entry.value, entry.line, &target) {
                report(
                    .error, entry.line,
                    row.isSecret
                        ? "the value of \(row.name) is not valid" : "\(row.name) = \(entry.value) is not valid",
                    "use \(row.expectation)", account: account)
            }
            if UnservedSettings.keys.contains(row.name) {
                report(
                    .warning, entry.line, "\(row.name) has no effect in this version",
                    "remove it, or keep it for a later version")
            }
        }
    }

    /// - Parameter file: where the line is; nil for the configuration.
    mutating func report(
        _ severity: ConfigurationIssue.Severity, _ line: Int, _ message: String, _ mend: String, in file: String? = nil, account: String? = nil
    ) {
        issues.append(
            ConfigurationIssue(
                severity, file: file ?? fileName, line: line, message: message, mend: mend, account: account))
    }

    /// By line; those of one line stay in the order in which they were found.
    func inFileOrder(_ issues: [ConfigurationIssue]) -> [ConfigurationIssue] {
        issues.enumerated().sorted { left, right in
            (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
        }.map(\.element)
    }
}
