import ProxyAccounting

/// Reads what a key may use out of the members of an object, by the table that also reads `[KEY NAME]`.
enum KeyLimitsReader {
    struct Problem: Error, Equatable {
        /// The member.
        let name: String
        let message: String
    }

    /// - Parameter others: members that are read by somebody else.
    /// - Throws: for the first member that is not known or not valid.
    static func read(_ object: JSONValue, besides others: Set<String>) throws(Problem) -> (KeyLimits, ModelFilter) {
        var draft = KeyDraft()
        for (key, value) in object.members {
            let name = (key.string ?? "").lowercased()
            guard !others.contains(name) else { continue }
            guard let row = SettingsTable.key.first(where: { $0.name == name }) else {
                let known = SettingsTable.key.map(\.name) + others.sorted()
                let nearest = NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
                throw Problem(
                    name: name.quotable,
                    message: "Unknown member '\(name.quotable)': \(nearest ?? "use \(known.joined(separator: ", "))")")
            }
            // Answers write an empty list for nothing.
            guard !value.isNull, value.kind != .array || value.hasElements || !row.takes(.list) else { continue }
            guard let (text, form) = text(of: value), row.takes(form), row.apply(text, 1, &draft) else {
                throw Problem(
                    name: row.name, message: "The value of '\(row.name)' is not valid: use \(row.expectation)")
            }
        }
        var filter = ModelFilter()
        for pattern in draft.models?.value ?? [] {
            do {
                try filter.add(pattern)
            } catch {
                throw Problem(
                    name: "models", message: "The expression '\(pattern.quotable)' is not valid: \(error.reason)")
            }
        }
        var limits = draft.limits
        limits.role = draft.role?.value ?? .client
        limits.models = filter.patterns
        return (limits, filter)
    }

    /// A text, a number, or a list of texts with commas between them.
    private static func text(of value: JSONValue) -> (text: String, form: SettingEntry.Form)? {
        switch value.kind {
        case .string: return value.string.map { ($0, .text) }
        case .number: return value.int.map { (String($0), .text) }
        case .array:
            var parts: [String] = []
            for element in value.elements {
                guard let part = element.string, !part.contains(",") else { return nil }
                parts.append(part)
            }
            return (parts.joined(separator: ","), .list)
        case .object, .true, .false, .null: return nil
        }
    }
}

extension JSONValue {
    /// A list with something in it.
    fileprivate var hasElements: Bool {
        for _ in elements { return true }
        return false
    }
}
