/// A JSON configuration as it stands: the same sections and entries as an INI file gives, so that one reader checks both.
///
/// `global` and `circuit_breaker` may be objects as in INI; their members count as members of the root. Entries of
/// `providers` and `oci_accounts` become sections, those of `tokens`, `fallbacks` and `supported_models` one section each.
struct JSONConfiguration: Sendable, Equatable {
    /// In file order; the first is the root.
    private(set) var sections: [SettingSection] = []
    /// What cannot be read. When the text is no JSON at all there is one, and no section but the root.
    private(set) var problems: [SettingProblem] = []
    /// Keys that are set twice.
    private(set) var warnings: [SettingProblem] = []

    private let lines: LineNumbers

    static let providers = "providers"
    static let accounts = "oci_accounts"
    static let tokens = "tokens"
    static let fallbacks = "fallbacks"
    static let successors = "successors"
    static let models = "supported_models"
    static let keys = "keys"
    static let prices = "prices"
    /// The section; a member of this name is the setting for all models.
    static let rescue = "rescue"
    static let rescueModels = "rescue_models"
    /// Objects whose members may as well stand at the root.
    static let groups = ["global", "circuit_breaker"]
    /// The keys whose values are no single settings.
    static let collections = [
        providers, accounts, tokens, keys, fallbacks, successors, rescueModels, prices, models,
    ]

    init(_ bytes: [UInt8]) {
        let text = JSONWithComments(bytes)
        lines = LineNumbers(bytes)
        sections = [SettingSection(name: "", title: "the file", line: 1)]
        if let comment = text.unclosedComment {
            report(lines.line(at: comment), "the comment that begins with /* is not closed", "close it with */")
            return
        }
        do {
            let root = try JSONDocument(parsing: text.plain).root
            // The caller has seen a `{`, but this type takes any text.
            guard root.kind == .object else {
                report(
                    lines.line(of: root), "the file is \(root.kindName), not an object", "enclose the settings in { }")
                return
            }
            sections[0] = SettingSection(name: "", title: "the file", line: lines.line(of: root))
            read(root)
        } catch {
            problems = [JSONHint.problem(error, in: text.plain, lines)]
        }
    }

    private mutating func read(_ root: JSONValue) {
        var collections: [String: JSONValue] = [:]
        for (key, value) in root.members {
            let name = (key.string ?? "").lowercased()
            if Self.groups.contains(name), value.kind == .object {
                for (key, value) in value.members { sections[0].entries.append(entry(key, value)) }
            } else if Self.collections.contains(name) {
                if let earlier = collections[name] {
                    let line = lines.line(of: key)
                    warnings.append(
                        SettingProblem(
                            line: line,
                            message: "\(name) is set twice: this one overrides line \(lines.line(of: earlier))",
                            fix: "merge the two"))
                }
                collections[name] = value
            } else {
                sections[0].entries.append(entry(key, value))
            }
        }
        for name in Self.collections {
            guard let value = collections[name], !value.isNull else { continue }
            switch name {
            case Self.providers: readProviders(value)
            case Self.accounts: readAccounts(value)
            case Self.tokens: readTokens(value)
            case Self.keys: readKeys(value)
            case Self.fallbacks: readFallbacks(value)
            case Self.successors:
                readTexts(
                    value, Self.successors, as: Self.successors,
                    example: #"{"provider/old-model": "provider/new-model"}"#)
            case Self.rescueModels:
                readTexts(value, Self.rescueModels, as: Self.rescue, example: #"{"provider/model": "continue"}"#)
            case Self.prices:
                readTexts(
                    value, Self.prices, as: Self.prices,
                    example: #"{"provider/model": "3 in 15 out per 1M tokens"}"#)
            default: readModels(value)
            }
        }
    }

    // MARK: Collections

    private mutating func readProviders(_ value: JSONValue) {
        let example =
            #"use {"provider": "NAME", "baseurl": "https://host/v1", "token": "KEY"} or "NAME|https://host/v1|KEY""#
        for (number, element) in numbered(value, Self.providers, "write a list of providers in [ ]") {
            let title = "entry \(number) of \(Self.providers)"
            let line = lines.line(of: element)
            var section = SettingSection(name: "provider_\(number)", title: title, line: line)
            if let text = element.string {
                let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
                guard parts.count > 1 else {
                    report(line, "\(title) is not of the form name|url|key", example)
                    continue
                }
                for (key, part) in zip(["provider", "baseurl", "token"], parts) {
                    section.entries.append(entry(key, String(part.trimmingJSONBlanks()), line))
                }
            } else if element.kind == .object {
                section.entries = element.members.map { entry($0, $1) }
            } else {
                report(line, "\(title) is \(element.kindName)", example)
                continue
            }
            sections.append(section)
        }
    }

    private mutating func readAccounts(_ value: JSONValue) {
        let fix = #"use an object with the keys of an account: {"user": ..., "key_file": ...}"#
        for (number, element) in numbered(value, Self.accounts, "write a list of accounts in [ ]") {
            let title = "entry \(number) of \(Self.accounts)"
            guard element.kind == .object else {
                report(lines.line(of: element), "\(title) is \(element.kindName)", fix)
                continue
            }
            sections.append(
                SettingSection(
                    name: "account_\(number)", title: title, line: lines.line(of: element),
                    entries: element.members.map { entry($0, $1) }))
        }
    }

    /// `description|value`; a token without a description is named by its place.
    private mutating func readTokens(_ value: JSONValue) {
        var section = SettingSection(name: "api_keys", title: Self.tokens, line: lines.line(of: value))
        for (number, element) in numbered(value, Self.tokens, #"write a list: ["description|TOKEN"]"#) {
            let line = lines.line(of: element)
            guard let text = scalar(element) else {
                report(
                    line, "entry \(number) of \(Self.tokens) is \(element.kindName)",
                    #"write it as "description|TOKEN""#)
                continue
            }
            let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.trimmingJSONBlanks()
            }
            let name = parts.count > 1 ? parts[0] : ""
            let key = name.isEmpty ? "token-\(number)" : Self.visible(String(name))
            section.entries.append(SettingEntry(key: key, value: Self.withRole(parts.last ?? ""), line: line))
        }
        sections.append(section)
    }

    /// `TOKEN|role=ROLE` as INI writes it: `TOKEN role=ROLE`. A token may hold bars itself.
    private static func withRole(_ token: Substring) -> String {
        guard let bar = token.lastIndex(of: "|") else { return String(token) }
        let option = token[token.index(after: bar)...].trimmingJSONBlanks()
        return option.lowercased().hasPrefix("role=")
            ? "\(token[..<bar].trimmingJSONBlanks()) \(option)" : String(token)
    }

    private mutating func readKeys(_ value: JSONValue) {
        let example = #"write it as {"NAME": {"role": "viewer"}}, with the descriptions of tokens"#
        guard value.kind == .object else {
            return report(lines.line(of: value), "\(Self.keys) is \(value.kindName)", example)
        }
        for (key, value) in value.members {
            let name = Self.visible(key.string ?? "")
            let title = "the entry \(INIDocument.shown(name)) of \(Self.keys)"
            guard value.kind == .object else {
                report(lines.line(of: value), "\(title) is \(value.kindName)", example)
                continue
            }
            sections.append(
                SettingSection(
                    name: SettingsTable.keyPrefix + name.lowercased(), title: title, line: lines.line(of: value),
                    entries: value.members.map { entry($0, $1) }))
        }
    }

    private mutating func readFallbacks(_ value: JSONValue) {
        let example = #"write it as {"provider/model": ["provider/other-model"]}"#
        guard value.kind == .object else {
            return report(lines.line(of: value), "\(Self.fallbacks) is \(value.kindName)", example)
        }
        var section = SettingSection(name: Self.fallbacks, title: Self.fallbacks, line: lines.line(of: value))
        for (key, value) in value.members {
            let entry = entry(key, value)
            switch entry.form {
            case .text, .list: section.entries.append(entry)
            case .boolean, .other:
                report(entry.line, "the fallbacks of \(INIDocument.shown(entry.key)) are \(value.kindName)", example)
            }
        }
        sections.append(section)
    }

    /// An object of texts, by the names of models.
    private mutating func readTexts(_ value: JSONValue, _ title: String, as name: String, example: String) {
        guard value.kind == .object else {
            return report(lines.line(of: value), "\(title) is \(value.kindName)", "write it as \(example)")
        }
        var section = SettingSection(name: name, title: title, line: lines.line(of: value))
        for (key, value) in value.members {
            let entry = entry(key, value)
            if entry.form == .text {
                section.entries.append(entry)
            } else {
                report(
                    entry.line, "\(title): \(INIDocument.shown(entry.key)) is \(value.kindName)",
                    "write it as \(example)")
            }
        }
        sections.append(section)
    }

    private mutating func readModels(_ value: JSONValue) {
        let fix = #"write a list of regular expressions: ["^NAME/"]"#
        var section = SettingSection(name: Self.models, title: Self.models, line: lines.line(of: value))
        for (number, element) in numbered(value, Self.models, fix, allowingText: true) {
            let line = lines.line(of: element)
            guard let text = scalar(element) else {
                report(line, "entry \(number) of \(Self.models) is \(element.kindName)", fix)
                continue
            }
            section.entries.append(SettingEntry(key: "\(number)", value: text, line: line))
        }
        sections.append(section)
    }

    /// The elements of a list, counted from 1. Reports a value that is none.
    private mutating func numbered(
        _ value: JSONValue, _ name: String, _ fix: String, allowingText: Bool = false
    ) -> [(number: Int, element: JSONValue)] {
        if allowingText, value.kind == .string { return [(1, value)] }
        guard value.kind == .array else {
            report(lines.line(of: value), "\(name) is \(value.kindName), not a list", fix)
            return []
        }
        return value.elements.enumerated().map { ($0.offset + 1, $0.element) }
    }

    // MARK: Entries

    private func entry(_ key: JSONValue, _ value: JSONValue) -> SettingEntry {
        let name = Self.visible(key.string ?? "")
        let line = lines.line(of: value)
        switch value.kind {
        case .null: return SettingEntry(key: name, value: "", line: line)
        case .true, .false:
            return SettingEntry(key: name, value: value.kind == .true ? "true" : "false", line: line, form: .boolean)
        case .object: return SettingEntry(key: name, value: "", line: line, form: .other("an object"))
        case .string, .number: return entry(name, scalar(value) ?? "", line)
        case .array:
            var parts: [String] = []
            for element in value.elements {
                guard let part = scalar(element) else {
                    return SettingEntry(
                        key: name, value: "", line: line, form: .other("a list that contains \(element.kindName)"))
                }
                guard !part.contains(",") else {
                    return SettingEntry(
                        key: name, value: "", line: line, form: .other("a list of strings that contain commas"))
                }
                parts.append(part)
            }
            var entry = entry(name, parts.joined(separator: ","), line)
            if entry.form == .text { entry.form = .list }
            return entry
        }
    }

    /// A line break in a token would end a header, and a NUL a path.
    private func entry(_ key: String, _ value: String, _ line: Int) -> SettingEntry {
        let control = value.unicodeScalars.first { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F }
        guard let control else { return SettingEntry(key: key, value: value, line: line) }
        let code = String(control.value, radix: 16, uppercase: true)
        return SettingEntry(
            key: key, value: "", line: line, form: .other("a string with the control character 0x\(code)"))
    }

    /// A string without the white space around it, or a number as INI would write it.
    private func scalar(_ value: JSONValue) -> String? {
        if let text = value.string { return String(text[...].trimmingJSONBlanks()) }
        guard value.kind == .number else { return nil }
        if let number = value.int { return "\(number)" }
        let written = String(decoding: value.raw, as: UTF8.self)
        return written.contains { $0 == "e" || $0 == "E" } ? value.double.map { "\($0)" } ?? written : written
    }

    /// A name for messages and logs, where a control character could forge a line.
    private static func visible(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }

    private mutating func report(_ line: Int, _ message: String, _ fix: String) {
        problems.append(SettingProblem(line: line, message: message, fix: fix))
    }
}

extension Substring {
    /// Without blanks and line ends at both ends: a pasted key often brings one along.
    fileprivate func trimmingJSONBlanks() -> Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character.isNewline }
        var text = self.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

/// Which line an offset is in.
struct LineNumbers: Sendable, Equatable {
    /// The offset at which each line begins.
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        starts = [0] + bytes.indices.lazy.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    /// From 1.
    func line(at offset: Int) -> Int {
        // The number of lines that begin at or before the offset.
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return max(low, 1)
    }

    /// In bytes, from 1.
    func column(at offset: Int) -> Int { offset - starts[line(at: offset) - 1] + 1 }

    func line(of value: JSONValue) -> Int { line(at: value.raw.startIndex) }
}
