/// From keys and values to what the table makes of them, and the words for what is wrong with them.
extension SettingsReader {
    /// The entries that `table` knows, without those that a later line overrides. Reports unknown and misplaced keys.
    ///
    /// - Parameters:
    ///   - known: the names among which the nearest is looked for.
    ///   - synonyms: what else people write for some of them.
    mutating func accepted<Target>(
        _ entries: [SettingEntry], by table: [SettingKey<Target>], place: String, known: [String],
        synonyms: [String: String] = [:]
    ) -> [SettingEntry] {
        let names = Set(table.map(\.name))
        return entries.filter { entry in
            if names.contains(entry.name) { return true }
            if let meant = synonyms[entry.name] {
                report(
                    .warning, entry.line, "unknown key \(INIDocument.shown(entry.key)), it is ignored",
                    "did you mean \(meant)?")
            } else {
                reportUnknown(entry, place: place, known: known)
            }
            return false
        }
    }

    private mutating func reportUnknown(_ entry: SettingEntry, place: String, known: [String]) {
        let shown = INIDocument.shown(entry.key)
        let places = SettingsTable.places(of: entry.name, in: format)
        if !places.isEmpty {
            report(
                .warning, entry.line, "\(shown) has no effect in \(place)",
                "move it to \(places.joined(separator: " or "))")
        } else if let nearest = nearest(to: entry.name, among: known) {
            report(.warning, entry.line, "unknown key \(shown), it is ignored", "did you mean \(nearest)?")
        } else {
            report(.warning, entry.line, "unknown key \(shown), it is ignored", "remove it")
        }
    }

    /// What somebody may have meant; nil when nothing is near.
    mutating func nearest(to name: String, among known: [String]) -> String? {
        guard suggestions > 0 else { return nil }
        suggestions -= 1
        return NearestName.of(name, among: known)
    }

    /// The last entry of each name, in file order. Reports the others.
    mutating func withoutOverridden(_ entries: [SettingEntry]) -> [SettingEntry] {
        var last: [String: SettingEntry] = [:]
        for entry in entries {
            if let earlier = last[entry.name] {
                report(
                    .warning, entry.line,
                    "\(INIDocument.shown(entry.key)) is set twice: this line overrides line \(earlier.line)",
                    "remove one of the two")
            }
            last[entry.name] = entry
        }
        return entries.filter { last[$0.name] == $0 }
    }

    /// Puts the entries where the table says; an empty value leaves the default. The table knows all `entries`, which
    /// are in file order.
    mutating func apply<Target>(
        _ entries: [SettingEntry], _ table: [SettingKey<Target>], to path: WritableKeyPath<SettingsReader, Target>
    ) {
        var target = self[keyPath: path]
        apply(entries, table, to: &target, account: nil)
        self[keyPath: path] = target
    }

    /// The same for a target of the caller's; the errors are the account's when one is given.
    mutating func apply<Target>(
        _ entries: [SettingEntry], _ table: [SettingKey<Target>], to target: inout Target, account: String?
    ) {
        for entry in withoutOverridden(entries) where entry.isSet {
            guard let row = table.first(where: { $0.name == entry.name }) else { continue }
            if let failure = entry.failure {
                report(failure, of: entry, account: account)
                continue
            }
            guard row.takes(entry.form) else {
                report(
                    .error, entry.line, "\(row.name) is \(entry.form.name)", "use \(row.expectation)", account: account)
                continue
            }
            guard row.apply(entry.value, entry.line, &target) else {
                // What stands elsewhere may be a secret that was put there by mistake.
                let value = entry.origin.map { "the value of \(row.name) (\($0))" } ?? "the value of \(row.name)"
                report(
                    .error, entry.line,
                    row.mayShow(entry.value) && entry.origin == nil
                        ? "\(setting(row.name, entry.value)) is not valid" : "\(value) is not valid",
                    "use \(row.expectation)", account: account)
                continue
            }
            if row.isSecret, entry.origin == nil { holdsSecrets = true }
        }
    }

    /// A key and its value in the file's own notation.
    func setting(_ key: String, _ value: String) -> String {
        format == .json ? "\(key): \(value)" : "\(key) = \(value)"
    }

    /// The same for somebody to copy.
    func example(_ key: String, _ value: String) -> String {
        format == .json ? #""\#(key)": "\#(value)""# : "\(key) = \(value)"
    }

    /// - Parameter file: where the line is; nil for the configuration.
    mutating func report(
        _ severity: ConfigurationIssue.Severity, _ line: Int, _ message: String, _ fix: String, in file: String? = nil,
        account: String? = nil
    ) {
        issues.append(
            ConfigurationIssue(
                severity, file: file ?? fileName, line: line, message: message, fix: fix, account: account))
    }

    /// By line; those of one line stay in the order in which they were found.
    func inFileOrder(_ issues: [ConfigurationIssue]) -> [ConfigurationIssue] {
        issues.enumerated().sorted { left, right in
            (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
        }.map(\.element)
    }
}
