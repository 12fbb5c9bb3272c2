/// Writes a plan in the form of `multi_config.conf`.
enum INIText {
    static func text(_ plan: ConfigurationPlan) -> String {
        var lines = plan.preface.map(comment)
        lines.append("")
        let key = plan.clientKeys ?? .init("api_key", "auto_generated_key", "A random key, made at the first start.")
        lines += entry(key)
        for (index, account) in plan.accounts.enumerated() {
            lines += section("ACCOUNT_\(index + 1)", account.entries, account.comment)
        }
        for (index, provider) in plan.providers.enumerated() {
            lines += section("PROVIDER_\(index + 1)", provider.entries, provider.comment)
        }
        lines += section("MODELS", plan.models, "The names that clients use.", ifEmpty: false)
        lines += section(
            "FALLBACKS", plan.fallbacks, "Who is asked when a model has failed before its first word.", ifEmpty: false)
        lines += section("PRICES", plan.prices, "US dollars.", ifEmpty: false)
        lines += section("GLOBAL", plan.globals, nil, ifEmpty: false)
        lines += section("CIRCUIT_BREAKER", plan.breaker, nil, ifEmpty: false)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func section(
        _ title: String, _ entries: [ConfigurationPlan.Entry], _ text: String?, ifEmpty: Bool = true
    ) -> [String] {
        guard ifEmpty || !entries.isEmpty else { return [] }
        return [""] + (text.map { [comment($0)] } ?? []) + ["[\(title)]"] + entries.flatMap(entry)
    }

    private static func entry(_ entry: ConfigurationPlan.Entry) -> [String] {
        (entry.comment.map { [comment($0)] } ?? []) + ["\(entry.key) = \(quoted(entry.value))"]
    }

    private static func comment(_ text: String) -> String { text.isEmpty ? "#" : "# \(text)" }

    // MARK: What can be said

    /// A text that stands before the sign; nil when none can, such as one with a `=` in it.
    static func isKey(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last, text.utf8.count <= 255 else {
            return false
        }
        return !"[#; \t".unicodeScalars.contains(first) && !" \t".unicodeScalars.contains(last)
            && !text.unicodeScalars.contains { $0 == "=" || $0.properties.generalCategory == .control }
    }

    /// A text that stands behind the sign, in quotes or not.
    static func isValue(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
            && !(text.contains("\"") && text.contains("'"))
    }

    private static func quoted(_ value: String) -> String {
        let needsQuotes =
            value.hasPrefix("\"") || value.hasPrefix("'") || value.hasPrefix("#") || value.hasPrefix(";")
            || value.contains(" #") || value.contains(" ;")
        guard needsQuotes else { return value }
        return value.contains("\"") ? "'\(value)'" : "\"\(value)\""
    }
}
