/// The sections whose keys are names of the user's own choice, and the client keys.
extension SettingsReader {
    mutating func readClientKeys() {
        switch format {
        case .ini: readKeysAndNames()
        case .json: readTokens()
        }
    }

    /// `api_key` at the root, then `[API_KEYS]`.
    private mutating func readKeysAndNames() {
        let entry = withoutOverridden(
            sections(named: "").flatMap(\.entries).filter { $0.name == SettingsTable.clientKey }
        ).last
        let parts = entry.map { CommaList.parts($0.value) } ?? []
        let written = parts.filter { !ClientKeyGenerator.isPlaceholder($0) }
        settings.needsGeneratedKey = parts.isEmpty || written.count < parts.count
        for (index, key) in written.enumerated() {
            addClientKey(key, name: index == 0 ? "default" : "default-\(index + 1)", line: entry?.line ?? 1)
        }
        for entry in withoutOverridden(sections(named: "api_keys").flatMap(\.entries)) {
            if ClientKeyGenerator.isPlaceholder(entry.value) {
                report(
                    .error, entry.line, "the placeholder is not supported in [API_KEYS]",
                    "set a key; use the placeholder for \(SettingsTable.clientKey) only")
            } else {
                addClientKey(entry.value, name: entry.key, line: entry.line)
            }
        }
    }

    /// `tokens` of a JSON file.
    private mutating func readTokens() {
        let entries = sections(named: "api_keys").flatMap(\.entries)
        var lines: [String: Int] = [:]
        for entry in entries {
            addClientKey(entry.value, name: entry.key, line: entry.line)
            if let first = lines.updateValue(entry.line, forKey: entry.key) {
                report(
                    .warning, entry.line,
                    "duplicate token description \(INIDocument.shown(entry.key)), already used in line \(first)",
                    "use different descriptions; logs and statistics identify tokens by them")
            }
        }
        guard entries.isEmpty, problems.isEmpty else { return }
        report(
            .error, 1, "tokens is missing or empty, so every client would be rejected",
            #"add "tokens": ["description|TOKEN"]"#)
    }

    /// Takes a key that a header can carry. The key itself appears in no message.
    private mutating func addClientKey(_ key: String, name: String, line: Int) {
        let shown = INIDocument.shown(name)
        // In INI a comma would look like one key of several.
        let mayHoldCommas = format == .json
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), mayHoldCommas || !key.contains(",") else {
            return report(
                .error, line, "the client key \(shown) is \(key.isEmpty ? "empty" : "not valid")",
                "use visible ASCII characters without spaces\(mayHoldCommas ? "" : " or commas")")
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

    /// Bytes of a client key that cannot be guessed by trying, if they were made at random.
    static let shortestKey = 16

    /// `[MODELS]`: NAME = OCI-MODEL-ID, an OCID, or an endpoint's OCID.
    mutating func readModels() {
        for entry in withoutOverridden(sections(named: "models").flatMap(\.entries)) {
            let isTarget =
                !entry.value.isEmpty && entry.value.utf8.count <= 255
                && entry.value.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                        || "._-:/@".utf8.contains(byte)
                }
            guard isTarget else {
                report(
                    .error, entry.line,
                    "model \(INIDocument.shown(entry.key)) = \(entry.value) is not a valid OCI model id",
                    "use a model id such as meta.llama-3.3-70b-instruct, or an OCID")
                continue
            }
            settings.models.append(ModelAlias(name: entry.key, target: entry.value, line: entry.line))
        }
    }
}
