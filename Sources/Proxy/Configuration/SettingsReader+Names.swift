/// The sections whose keys are names of the user's own choice, and the client keys.
extension SettingsReader {
    /// `api_key` at the root, then `[API_KEYS]`.
    mutating func readClientKeys() {
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
                    .error, entry.line, "the placeholder stands for no key in [API_KEYS]",
                    "write a key, or use the placeholder for \(SettingsTable.clientKey) only")
            } else {
                addClientKey(entry.value, name: entry.key, line: entry.line)
            }
        }
    }

    /// Takes a key that a header can carry. The key itself appears in no message.
    private mutating func addClientKey(_ key: String, name: String, line: Int) {
        let shown = INIDocument.shown(name)
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !key.contains(",") else {
            return report(
                .error, line, "the client key \(shown) is \(key.isEmpty ? "empty" : "not valid")",
                "use visible ASCII characters without spaces and commas")
        }
        if let same = settings.clientKeys.first(where: { $0.value == Secret(key) }) {
            return report(
                .warning, line, "the client key \(shown) is the same as \(INIDocument.shown(same.name))",
                "remove one of the two")
        }
        settings.clientKeys.append(ClientKey(name: name, value: Secret(key)))
    }

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
                    "model \(INIDocument.shown(entry.key)) = \(entry.value) names no OCI model",
                    "use a model id such as meta.llama-3.3-70b-instruct, or an OCID")
                continue
            }
            settings.models.append(ModelAlias(name: entry.key, target: entry.value, line: entry.line))
        }
    }

    /// `[FALLBACKS]`: MODEL = MODEL, MODEL, ...
    mutating func readFallbacks() {
        for entry in withoutOverridden(sections(named: "fallbacks").flatMap(\.entries)) {
            let alternatives = CommaList.parts(entry.value)
            guard !alternatives.isEmpty else {
                report(
                    .error, entry.line, "the fallbacks of \(INIDocument.shown(entry.key)) are empty",
                    "name at least one model")
                continue
            }
            settings.fallbacks.append(
                FallbackChain(model: entry.key, alternatives: alternatives, line: entry.line))
        }
    }

    /// `[PROVIDER_n]`. Two with one name are a pool, so that is no mistake.
    mutating func readProvider(_ section: INIDocument.Section) {
        let title = "[\(INIDocument.shown(section.title))]"
        var draft = ProviderDraft()
        let entries = accepted(
            section.entries, by: SettingsTable.provider, place: title, known: SettingsTable.provider.map(\.name))
        apply(entries, SettingsTable.provider, to: &draft, account: nil)
        for (key, example) in [("provider", "NAME"), ("baseurl", "https://host/v1")]
        where entries.last(where: { $0.name == key })?.value.isEmpty ?? true {
            report(.error, section.line, "\(key) is missing in \(title)", "add \(key) = \(example) to \(title)")
        }
        guard let name = draft.name, let baseURL = draft.baseURL else { return }
        settings.providers.append(
            ProviderSettings(
                name: name.value, baseURL: baseURL.value, token: draft.token, models: draft.models, line: section.line))
    }
}
