/// The providers and what is said about their models.
extension SettingsReader {
    /// The provider name of the accounts' models in a JSON file.
    static let accountsProvider = "oci"

    /// `[PROVIDER_n]`, or the entries of `providers`. Two with one name are a pool, so that is no mistake.
    mutating func readProviders(_ sections: [SettingSection]) {
        for section in sections { readProvider(section) }
        ProviderSettings.assignIDs(&settings.providers)
        checkNames()
    }

    private mutating func readProvider(_ section: SettingSection) {
        var draft = ProviderDraft()
        let entries = accepted(
            section.entries, by: SettingsTable.provider, place: section.title,
            known: SettingsTable.provider.map(\.name),
            synonyms: SettingsTable.providerSynonyms)
        apply(entries, SettingsTable.provider, to: &draft, account: nil)
        for (key, value) in [("provider", "NAME"), ("baseurl", "https://host/v1")] {
            guard let entry = entries.last(where: { $0.name == key }) else {
                report(
                    .error, section.line, "\(key) is missing in \(section.title)",
                    "add \(example(key, value)) to \(section.title)")
                continue
            }
            if !entry.isSet {
                report(.error, entry.line, "\(key) in \(section.title) is empty", "write \(example(key, value))")
            }
        }
        guard let name = draft.name, let baseURL = draft.baseURL else { return }
        if baseURL.value.scheme == .http, !baseURL.value.isLoopback, draft.token != nil {
            report(
                .warning, baseURL.line,
                "\(setting("baseurl", "\(baseURL.value)")) sends the token, prompts and answers unencrypted",
                "use https unless the network is trusted")
        }
        settings.providers.append(
            ProviderSettings(
                id: name.value, name: name.value, baseURL: baseURL.value, token: draft.token,
                models: withoutRepetition(draft.models), dialects: draft.dialects,
                rescue: draft.rescue, propagatesTrace: draft.propagatesTrace,
                maxConcurrency: settings.connections.limit, line: name.line))
    }

    private func withoutRepetition(_ models: [String]?) -> [String]? {
        var seen: Set<String> = []
        return models?.filter { seen.insert($0).inserted }
    }

    /// Names that two upstreams cannot share, and names that look like a pool and are none.
    private mutating func checkNames() {
        let accounts = Set(settings.accounts.map { $0.id.lowercased() })
        var spellings: [String: (name: String, line: Int)] = [:]
        var seen: [ProviderSettings.Endpoint: Int] = [:]
        for provider in settings.providers {
            if let line = seen.updateValue(provider.line, forKey: provider.endpoint) {
                report(
                    .warning, provider.line, "this entry of \(provider.name) is the same as the one in line \(line)",
                    "remove one of the two, or correct its baseurl or token")
            }
            if accounts.contains(provider.id.lowercased()) {
                report(
                    .error, provider.line, "\(provider.id) is the id of both an account and a provider",
                    "rename one of the two")
            }
            // Models of the accounts bear this name in a JSON file.
            if format == .json, !settings.accounts.isEmpty, provider.name.lowercased() == Self.accountsProvider {
                report(
                    .error, provider.line,
                    "the provider name \(provider.name) is reserved for the models of oci_accounts",
                    "rename the provider")
            }
            let spelling = spellings[provider.name.lowercased()] ?? (provider.name, provider.line)
            spellings[provider.name.lowercased()] = spelling
            if spelling.name != provider.name {
                report(
                    .warning, provider.line,
                    "\(provider.name) and \(spelling.name) in line \(spelling.line) differ only in case: they are two providers, not a pool",
                    "spell both the same way to form a pool")
            }
        }
    }

    /// `supported_models` of a JSON file.
    mutating func readModelFilter() {
        for entry in sections(named: JSONConfiguration.models).flatMap(\.entries) {
            guard settings.supportedModels.patterns.count < ModelFilter.most else {
                report(
                    .error, entry.line, "supported_models has more than \(ModelFilter.most) expressions",
                    "combine some of them with |")
                break
            }
            guard !entry.value.isEmpty else {
                report(
                    .warning, entry.line, "entry \(entry.key) of supported_models is empty, it is ignored", "remove it")
                continue
            }
            do {
                try settings.supportedModels.add(entry.value)
            } catch {
                let shown = entry.value.utf8.count <= 80 ? entry.value : "entry \(entry.key)"
                report(
                    .error, entry.line,
                    "supported_models: \(shown) is not a valid regular expression (\(error.reason))",
                    #"correct it; in JSON write \ as \\, and use .* to match any text"#)
            }
        }
        reportFilteredModels()
    }

    /// Models that are listed by hand and then filtered out.
    private mutating func reportFilteredModels() {
        for provider in settings.providers {
            let lost = (provider.models ?? []).filter { !settings.supportedModels.admits("\(provider.name)/\($0)") }
            guard let first = lost.first else { continue }
            let others = lost.count > 1 ? " and \(lost.count - 1) more" : ""
            report(
                .warning, provider.line,
                "\(provider.name)/\(first)\(others) of model_list \(lost.count > 1 ? "match no expression in supported_models and are" : "matches no expression in supported_models and is") not served",
                "add an expression to supported_models, or remove them from model_list")
        }
    }
}

/// The models that stand in for others.
extension SettingsReader {
    /// `[FALLBACKS]`: MODEL = MODEL, MODEL, ...; or an object of lists.
    mutating func readFallbacks() {
        let known = KnownProviders(settings, accounts: Self.accountsProvider)
        for entry in withoutOverridden(sections(named: JSONConfiguration.fallbacks).flatMap(\.entries)) {
            var seen: Set = [entry.name]
            let named = CommaList.parts(entry.value)
            let alternatives = named.filter { seen.insert($0.lowercased()).inserted }
            let model = INIDocument.shown(entry.key)
            guard !entry.key.isEmpty, !named.isEmpty else {
                report(.error, entry.line, "the fallbacks of \(model) are empty", "name at least one model")
                continue
            }
            if named.contains(where: { $0.lowercased() == entry.name }) {
                report(
                    .warning, entry.line, "\(model) is a fallback of itself, which is ignored",
                    "remove it from its own fallbacks")
            } else if alternatives.count < named.count {
                report(
                    .warning, entry.line, "a fallback of \(model) is named twice, which is ignored", "remove the second"
                )
            }
            for name in [entry.key] + alternatives { check(name, among: known, entry.line) }
            guard !alternatives.isEmpty else { continue }
            settings.fallbacks.append(FallbackChain(model: entry.key, alternatives: alternatives, line: entry.line))
        }
    }

    /// `[SUCCESSORS]`: OLD = NEW; or an object of texts.
    mutating func readSuccessors() {
        let known = KnownProviders(settings, accounts: Self.accountsProvider)
        var lines: [String: Int] = [:]
        for entry in withoutOverridden(sections(named: JSONConfiguration.successors).flatMap(\.entries)) {
            let model = INIDocument.shown(entry.key)
            let successor = entry.value.trimmingPrefix(while: \.isWhitespace)
            guard !entry.key.isEmpty, !successor.isEmpty, !successor.contains(",") else {
                report(.error, entry.line, "the successor of \(model) is not one model", "write it as OLD = NEW")
                continue
            }
            guard entry.key != "*", successor != "*" else {
                report(
                    .error, entry.line, "the successor of \(model) is not one model: * is none",
                    "name one model on each side; [MODELS] * = NAME takes any unknown one")
                continue
            }
            for name in [entry.key, String(successor)] { check(name, among: known, entry.line, as: "model") }
            settings.successors[entry.key] = String(successor)
            lines[entry.key] = entry.line
        }
        for (name, line) in lines.sorted(by: { $0.value < $1.value }) where hasCircle(from: name) {
            report(
                .error, line, "the successors of \(INIDocument.shown(name)) lead back to itself",
                "let the last of them have no successor")
            settings.successors[name] = nil
        }
        for (name, line) in lines.sorted(by: { $0.value < $1.value }) where rowLength(from: name) > Self.longestRow {
            report(
                .warning, line,
                "behind \(INIDocument.shown(name)) are more than \(Self.longestRow) successors in a row, of which the last are not reached",
                "name the last of them as its successor")
        }
    }

    /// Successors that are followed from one name (`ModelCatalog`).
    private static let longestRow = 8

    private func rowLength(from name: String) -> Int {
        var (length, next) = (0, settings.successors[name])
        while let model = next, length <= settings.successors.count {
            (length, next) = (length + 1, settings.successors[model])
        }
        return length
    }

    private func hasCircle(from name: String) -> Bool {
        var seen: Set = [name]
        var next = settings.successors[name]
        while let model = next {
            guard seen.insert(model).inserted else { return true }
            next = settings.successors[model]
        }
        return false
    }

    /// `[RESCUE]`: MODEL = MODE; or an object of texts.
    mutating func readRescue() {
        for entry in withoutOverridden(sections(named: JSONConfiguration.rescue).flatMap(\.entries)) {
            let model = INIDocument.shown(entry.key)
            guard let mode = ValueKind<RescueMode>.choice.parse(entry.value) else {
                report(
                    .error, entry.line, "the rescue of \(model) is not valid: \(INIDocument.shown(entry.value))",
                    "use \(ValueKind<RescueMode>.choice.expectation)")
                continue
            }
            settings.rescue.models[entry.key] = mode
        }
    }

    /// In a JSON file every model is `provider/model`, so a wrong name can be told. In INI most models have no such prefix.
    private mutating func check(
        _ model: String, among known: KnownProviders, _ line: Int, as role: String = "fallback"
    ) {
        guard format == .json else { return }
        let parts = model.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let shown = INIDocument.shown(model)
        guard parts.count > 1, known.names.contains(parts[0]) else {
            let nearest = parts.count > 1 ? nearest(to: parts[0], among: known.names.sorted()) : nil
            let fix =
                parts.count > 1
                ? nearest.map { "did you mean \($0)/\(parts[1])?" } ?? "correct the name" : "write it as provider/model"
            return report(.warning, line, "the \(role) \(shown) does not belong to a configured provider", fix)
        }
        if let listed = known.models[parts[0]], !listed.contains(parts[1]) {
            let nearest = nearest(to: parts[1], among: listed.sorted())
            report(
                .warning, line, "the \(role) \(shown) is not in the model_list of \(parts[0])",
                nearest.map { "did you mean \(parts[0])/\($0)?" } ?? "add it there, or correct the name")
        } else if !settings.supportedModels.admits(model) {
            report(
                .warning, line, "the \(role) \(shown) matches no expression in supported_models",
                "add an expression for it")
        }
    }
}

/// What a fallback may name.
private struct KnownProviders {
    let names: Set<String>
    /// Of those providers whose models are all listed by hand.
    let models: [String: Set<String>]

    init(_ settings: Settings, accounts: String) {
        names = Set(settings.providers.map(\.name) + (settings.accounts.isEmpty ? [] : [accounts]))
        let entries = Dictionary(grouping: settings.providers, by: \.name)
        models = entries.compactMapValues { entries in
            entries.contains { $0.models == nil } ? nil : Set(entries.flatMap { $0.models ?? [] })
        }
    }
}
