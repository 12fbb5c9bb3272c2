/// Values that stand elsewhere, so that a file can be read by everybody who may not know its secrets.
extension SettingsReader {
    /// Puts what references stand for in their places. What cannot be found is told by whoever reads the value, since one account may be lost by it and
    /// the others not.
    mutating func resolveReferences() {
        let values = ReferencedValues(environment: credentials, files: files)
        for section in sections.indices where !Self.plainSections.contains(sections[section].name) {
            let name = sections[section].name
            let secrets = Self.secrets(of: name)
            for index in sections[section].entries.indices {
                let entry = sections[section].entries[index]
                guard entry.form == .text,
                    entry.value.utf8.contains(UInt8(ascii: "$")) || entry.value.hasPrefix("file:")
                else { continue }
                if name == "api_keys" {
                    sections[section].entries[index] = Self.resolvedKey(entry, values)
                } else if name.isEmpty, format == .ini, entry.name == SettingsTable.clientKey {
                    sections[section].entries[index] = Self.resolvedList(entry, values)
                } else {
                    sections[section].entries[index] = Self.resolved(
                        entry, values, isSecret: secrets.contains(entry.name))
                }
            }
        }
    }

    /// Those whose values are names of models, expressions and prices.
    private static let plainSections: Set = [
        "models", JSONConfiguration.fallbacks, JSONConfiguration.successors, JSONConfiguration.rescue,
        JSONConfiguration.prices, JSONConfiguration.models,
    ]

    private static func secrets(of section: String) -> Set<String> {
        if section.hasPrefix("account_") { return names(SettingsTable.account) }
        if section.hasPrefix("provider_") { return names(SettingsTable.provider) }
        return names(SettingsTable.global).union(names(SettingsTable.identity))
    }

    private static func names<Target>(_ table: [SettingKey<Target>]) -> Set<String> {
        Set(table.filter(\.isSecret).map(\.name))
    }

    private static func resolved(_ entry: SettingEntry, _ values: ReferencedValues, isSecret: Bool) -> SettingEntry {
        guard let reference = ValueReference(entry.value, isSecret: isSecret) else { return entry }
        do throws(ReferencedValues.Failure) {
            return entry.with(try values.value(of: reference), from: reference.origin)
        } catch {
            return entry.unresolved(error)
        }
    }

    /// `KEY role=ROLE`, of which the first word may be a reference.
    private static func resolvedKey(_ entry: SettingEntry, _ values: ReferencedValues) -> SettingEntry {
        let key = String(entry.value.prefix { $0 != " " })
        let found = resolved(SettingEntry(key: entry.key, value: key, line: entry.line), values, isSecret: true)
        guard found.origin != nil || found.failure != nil else { return entry }
        var entry =
            found.failure.map(entry.unresolved)
            ?? entry.with(found.value + entry.value.dropFirst(key.count), from: found.origin)
        // A blank in it would make two words of the key.
        if found.failure == nil, found.value.contains(" ") {
            entry = entry.unresolved(
                .init(reason: "\(found.origin ?? "") has a blank in it", fix: "write the key alone into it"))
        }
        return entry
    }

    /// Keys with commas between them.
    private static func resolvedList(_ entry: SettingEntry, _ values: ReferencedValues) -> SettingEntry {
        var parts: [String] = []
        var origin: String?
        for part in CommaList.parts(entry.value) {
            let found = resolved(SettingEntry(key: entry.key, value: part, line: entry.line), values, isSecret: true)
            if let failure = found.failure { return entry.unresolved(failure) }
            origin = found.origin ?? origin
            parts.append(found.value)
        }
        // Some of them may stand in the file itself.
        let isAll = CommaList.parts(entry.value).allSatisfy { ValueReference($0, isSecret: true) != nil }
        return origin == nil ? entry : entry.with(parts.joined(separator: ","), from: isAll ? origin : nil)
    }

    /// Tells of a value that is not where it should be.
    mutating func report(_ failure: ReferencedValues.Failure, of entry: SettingEntry, account: String? = nil) {
        report(
            .error, entry.line, "\(INIDocument.shown(entry.key)): \(failure.reason)", failure.fix, account: account)
    }
}

extension SettingEntry {
    fileprivate func with(_ value: String, from origin: String?) -> SettingEntry {
        var entry = SettingEntry(key: key, value: value, line: line)
        entry.origin = origin
        return entry
    }

    fileprivate func unresolved(_ failure: ReferencedValues.Failure) -> SettingEntry {
        var entry = SettingEntry(key: key, value: "", line: line)
        entry.failure = failure
        return entry
    }
}
