import ProxyAccounting

/// The keys of clients: how they are named, and what they may do.
extension SettingsReader {
    mutating func readClientKeys() {
        switch format {
        case .ini: readKeysAndNames()
        case .json: readTokens()
        }
        readKeySections()
        grantRights()
    }

    /// `api_key` at the root, then `[API_KEYS]`.
    private mutating func readKeysAndNames() {
        let entry = withoutOverridden(
            sections(named: "").flatMap(\.entries).filter { $0.name == SettingsTable.clientKey }
        ).last
        if let entry, let failure = entry.failure { report(failure, of: entry) }
        let parts = entry.map { CommaList.parts($0.value) } ?? []
        let written = parts.filter { !ClientKeyGenerator.isPlaceholder($0) }
        // A reference stands for a key that somebody has made, also where it is not found.
        settings.needsGeneratedKey = entry?.failure == nil && (parts.isEmpty || written.count < parts.count)
        if settings.needsGeneratedKey || (entry?.origin == nil && !written.isEmpty) { holdsSecrets = true }
        for (index, key) in written.enumerated() {
            addClientKey(key, name: index == 0 ? "default" : "default-\(index + 1)", line: entry?.line ?? 1)
            if settings.clientKeys.last?.value == Secret(key) { firstKeys += 1 }
        }
        for entry in withoutOverridden(sections(named: "api_keys").flatMap(\.entries)) {
            if ClientKeyGenerator.isPlaceholder(entry.value) {
                report(
                    .error, entry.line, "the placeholder is not supported in [API_KEYS]",
                    "set a key; use the placeholder for \(SettingsTable.clientKey) only")
            } else {
                addNamedKey(entry)
            }
        }
    }

    /// `tokens` of a JSON file.
    private mutating func readTokens() {
        let entries = sections(named: "api_keys").flatMap(\.entries)
        var lines: [String: Int] = [:]
        for entry in entries {
            addNamedKey(entry)
            if let first = lines.updateValue(entry.line, forKey: entry.key) {
                report(
                    .warning, entry.line,
                    "duplicate token description \(INIDocument.shown(entry.key)), already used in line \(first)",
                    "use different descriptions; logs and statistics identify tokens by them")
            }
        }
        firstKeys = min(1, settings.clientKeys.count)
        guard entries.isEmpty, problems.isEmpty else { return }
        report(
            .error, 1, "tokens is missing or empty, so every client would be rejected",
            #"add "tokens": ["description|TOKEN"]"#)
    }

    /// `KEY`, or `KEY role=ROLE`.
    private mutating func addNamedKey(_ entry: SettingEntry) {
        if let failure = entry.failure { return report(failure, of: entry) }
        if entry.origin == nil { holdsSecrets = true }
        let words = entry.value.split(separator: " ", omittingEmptySubsequences: true)
        let shown = INIDocument.shown(entry.key)
        for option in words.dropFirst() {
            let parts = option.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "role" else {
                // It may be a part of the key.
                return reportInvalidKey(shown, isEmpty: false, entry.line)
            }
            guard let role = ValueKind<KeyRole>.choice.parse(String(parts[1])) else {
                return report(
                    .error, entry.line, "the role of the client key \(shown) is not valid",
                    "use \(ValueKind<KeyRole>.choice.expectation)")
            }
            roles[entry.name] = Located(value: role, line: entry.line)
        }
        addClientKey(words.first.map(String.init) ?? "", name: entry.key, line: entry.line)
    }

    /// Takes a key that a header can carry. The key itself appears in no message.
    private mutating func addClientKey(_ key: String, name: String, line: Int) {
        let shown = INIDocument.shown(name)
        // In INI a comma would look like one key of several.
        let mayHoldCommas = format == .json
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), mayHoldCommas || !key.contains(",") else {
            return reportInvalidKey(shown, isEmpty: key.isEmpty, line)
        }
        let value = Secret(key)
        if let same = keyNames[value] {
            return report(
                .warning, line, "the client key \(shown) is the same as \(INIDocument.shown(same))",
                "remove one of the two")
        }
        keyNames[value] = name
        if key.utf8.count < Self.shortestKey { shortKeys.append(ConfigurationLoader.ShortKey(name: shown, line: line)) }
        settings.clientKeys.append(ClientKey(name: name, value: value))
    }

    private mutating func reportInvalidKey(_ shown: String, isEmpty: Bool, _ line: Int) {
        report(
            .error, line, "the client key \(shown) is \(isEmpty ? "empty" : "not valid")",
            "use visible ASCII characters without spaces\(format == .json ? "" : " or commas")")
    }

    /// Bytes of a client key that cannot be guessed by trying, if they were made at random.
    static let shortestKey = 16

    // MARK: What they may do

    /// `[KEY NAME]`, or a member of `keys`.
    private mutating func readKeySections() {
        var drafts: [String: KeyDraft] = [:]
        for section in sections(withPrefix: SettingsTable.keyPrefix) {
            let name = String(section.name.dropFirst(SettingsTable.keyPrefix.count))
            guard settings.clientKeys.contains(where: { $0.name.lowercased() == name }) || isGenerated(name) else {
                // Without it, the key that was meant would have no limits at all. Some programs name keys by their values, which no log may show.
                let isValue = settings.clientKeys.contains { $0.value.reveal().lowercased() == name }
                let nearest = isValue ? nil : nearest(to: name, among: settings.clientKeys.map(\.name))
                report(
                    .error, section.line,
                    "\(isValue ? "a section of limits" : section.title) has no effect, because the file has no key of that name",
                    nearest.map { "did you mean \($0)?" } ?? "use the name of a key of this file, not the key itself")
                continue
            }
            let entries = accepted(
                section.entries, by: SettingsTable.key, place: section.title, known: SettingsTable.key.map(\.name))
            var draft = drafts[name] ?? KeyDraft()
            apply(entries, SettingsTable.key, to: &draft, account: nil)
            if let role = draft.role {
                if let other = roles[name], other.value != role.value {
                    report(
                        .error, role.line,
                        "the role of \(section.title) differs from the one in line \(other.line)",
                        "remove one of the two")
                }
                roles[name] = role
            }
            draft.filter = filter(draft.models, of: section)
            drafts[name] = draft
        }
        settings.namesRoles = !roles.isEmpty
        for index in settings.clientKeys.indices {
            let name = settings.clientKeys[index].name.lowercased()
            if let draft = drafts[name] { draft.complete(&settings.clientKeys[index]) }
        }
        if settings.needsGeneratedKey, let draft = drafts[Self.generatedKey] {
            draft.complete(&settings.generatedKey)
        }
    }

    /// The name of a key that is made when the process starts.
    private static let generatedKey = "default"

    private func isGenerated(_ name: String) -> Bool { settings.needsGeneratedKey && name == Self.generatedKey }

    private mutating func filter(_ models: Located<[String]>?, of section: SettingSection) -> ModelFilter {
        var filter = ModelFilter()
        for model in models?.value ?? [] {
            do {
                try filter.add(model)
            } catch {
                report(
                    .error, models?.line ?? section.line,
                    "models of \(section.title): the expression \(INIDocument.shown(model)) is not valid: \(error.reason)",
                    "use a regular expression such as ^xai[.]grok")
            }
        }
        return filter
    }

    /// Where nobody has said who may do what, the operator's own key may do everything, as it always could.
    private mutating func grantRights() {
        var named: Set<String> = []
        for key in settings.clientKeys where !named.insert(key.name.lowercased()).inserted {
            guard let role = roles[key.name.lowercased()] else { continue }
            report(
                .error, role.line, "two keys are named \(INIDocument.shown(key.name)), and the role would be for both",
                "use different names")
        }
        for index in settings.clientKeys.indices {
            let isFirst = index < firstKeys
            settings.clientKeys[index].limits.role =
                roles[settings.clientKeys[index].name.lowercased()]?.value
                ?? (isFirst ? settings.standardRole : .client)
        }
        settings.generatedKey.limits.role = roles[Self.generatedKey]?.value ?? settings.standardRole
        settings.keysOfFullRight =
            settings.namesRoles
            ? []
            : settings.clientKeys.prefix(firstKeys).map(\.name)
                + (settings.needsGeneratedKey ? [Self.generatedKey] : [])
    }
}

/// What is read of a key's section.
struct KeyDraft: Sendable {
    var role: Located<KeyRole>?
    var limits = KeyLimits()
    var models: Located<[String]>?
    var filter = ModelFilter()

    fileprivate func complete(_ key: inout ClientKey) {
        key.limits = limits
        key.limits.models = filter.patterns
        key.models = filter
    }
}
