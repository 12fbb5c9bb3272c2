/// One key with its value, as either format of the configuration has it.
struct SettingEntry: Sendable, Equatable {
    /// What a value of the JSON format was, since not every key takes every kind. INI knows texts only.
    enum Form: Sendable, Equatable {
        /// A text or a number; people write each for the other.
        case text
        case boolean
        /// Texts, in `value` with commas between them.
        case list
        /// Nothing that a setting can be; with the article: "an object".
        case other(String)
    }

    /// As written.
    let key: String
    /// Empty when the key is not set.
    let value: String
    /// From 1.
    let line: Int
    var form = Form.text
    /// Where the value comes from, when it does not stand in the file itself.
    var origin: String?
    /// Why what the value refers to is not there.
    var failure: ReferencedValues.Failure?

    /// The key as it is compared.
    var name: String { key.lowercased() }

    /// There is something to apply, be it of the wrong kind.
    var isSet: Bool {
        if case .other = form { return true }
        return !value.isEmpty || failure != nil
    }
}

extension SettingEntry.Form {
    /// With its article.
    var name: String {
        switch self {
        case .text: "a string"
        case .boolean: "a boolean"
        case .list: "a list"
        case .other(let name): name
        }
    }
}

/// Keys that belong together: a section of an INI file, or an object of a JSON file.
struct SettingSection: Sendable, Equatable {
    /// As it is compared: `account_1`; empty for the root.
    let name: String
    /// As messages name it: `[ACCOUNT_1]`, `entry 1 of oci_accounts`.
    let title: String
    /// Where it begins.
    let line: Int
    var entries: [SettingEntry] = []
}

/// A place in the file that cannot be read, or not as it was meant. It never quotes a value, which may be a secret.
package struct SettingProblem: Sendable, Equatable {
    package let line: Int
    package let message: String
    package let fix: String
}

extension INIDocument {
    /// The sections as the reader takes them.
    var settingSections: [SettingSection] {
        sections.map { section in
            SettingSection(
                name: section.name, title: section.name.isEmpty ? "the root" : "[\(Self.shown(section.title))]",
                line: section.line,
                entries: section.entries.map { SettingEntry(key: $0.key, value: $0.value, line: $0.line) })
        }
    }
}
