import ProxyAccounting

/// What `/admin/keys` answers, for people.
package enum KeysPage {
    /// All keys, a line each.
    ///
    /// - Parameters:
    ///   - document: of `GET /admin/keys`.
    ///   - now: seconds since 1970.
    /// - Throws: `ExitError` for what is no such document.
    package static func list(_ document: [UInt8], at now: Int64) throws(ExitError) -> String {
        let root = try OperatorPage.root(document)
        let columns: [TextTable.Column] = [
            .init("NAME"), .init("ROLE"), .init("STATE"), .init("PREFIX", isOptional: true),
            .init("CREATED", isOptional: true), .init("FORMER WORKS UNTIL", isOptional: true),
            .init("EXPIRES", isOptional: true), .init("MODELS", isOptional: true),
            .init("RPM", .right, isOptional: true), .init("TPM", .right, isOptional: true),
            .init("AT ONCE", .right, isOptional: true), .init("HARD BUDGET", isOptional: true),
            .init("SOFT BUDGET", isOptional: true),
        ]
        let rows = root.elements(of: "data").map { key in
            [
                Figures.text(key["name"]), Figures.text(key["role"]), state(key, at: now), Figures.text(key["prefix"]),
                Figures.text(key["created_at"]), Figures.list(key["former_keys_until"]), Figures.text(key["expires"]),
                Figures.list(key["models"]),
                Figures.count(key["rpm"]), Figures.count(key["tpm"]), Figures.count(key["max_concurrency"]),
                Figures.list(key["budget_hard"]), Figures.list(key["budget_soft"]),
            ]
        }
        return rows.isEmpty ? "There are no keys.\n" : TextTable(columns, rows: rows).text
    }

    /// A key that has been made, and what there is to say about it.
    ///
    /// - Parameter document: of an answer that shows a key.
    /// - Throws: `ExitError` for what is no such document.
    package static func shown(_ document: [UInt8]) throws(ExitError) -> (key: String, note: String) {
        let root = try OperatorPage.root(document)
        // What is no key is not printed: it could be anything, for a terminal too.
        guard let key = root["key"]?.string, KeyText.isWellFormed(key), let name = root["name"]?.string else {
            throw OperatorPage.unreadable
        }
        var lines = ["The key of \(name). It is shown this once, and kept as its SHA-256 alone."]
        var limits: [String] = ["role \(Figures.text(root["role"]))"]
        for (title, text) in [
            ("expires", Figures.text(root["expires"])), ("models", Figures.list(root["models"])),
            ("rpm", Figures.count(root["rpm"])), ("tpm", Figures.count(root["tpm"])),
            ("at once", Figures.count(root["max_concurrency"])), ("hard budget", Figures.list(root["budget_hard"])),
            ("soft budget", Figures.list(root["budget_soft"])),
        ] where text != TextTable.unknown {
            limits.append("\(title) \(text)")
        }
        lines.append(limits.joined(separator: "; "))
        let former = root.elements(of: "former_keys_until").compactMap(\.string)
        if let last = former.max() { lines.append("The one before works until \(last).") }
        return (key, lines.map { TextTable.printable($0) + "\n" }.joined())
    }

    /// What has been done to keys, a line each.
    ///
    /// - Parameter document: of `GET /admin/keys/NAME/history`.
    /// - Throws: `ExitError` for what is no such document.
    package static func history(_ document: [UInt8]) throws(ExitError) -> String {
        let root = try OperatorPage.root(document)
        guard root["data"] != nil else { throw OperatorPage.unreadable }
        let rows = root.elements(of: "data").map { change in
            ["at", "key", "action", "by"].map { Figures.text(change[$0]) }
        }
        guard !rows.isEmpty else {
            return "Nothing has been done to managed keys. Those of the configuration file are changed there.\n"
        }
        return TextTable([.init("AT"), .init("KEY"), .init("ACTION"), .init("BY")], rows: rows).text
    }

    /// An answer as it is, for programs.
    ///
    /// - Throws: `ExitError` when it is no JSON object, and could be anything.
    package static func document(_ document: [UInt8]) throws(ExitError) -> [UInt8] {
        _ = try OperatorPage.root(document)
        return document + [UInt8(ascii: "\n")]
    }

    /// That a key has been taken back.
    ///
    /// - Throws: `ExitError` for what is no such document.
    package static func revoked(_ document: [UInt8]) throws(ExitError) -> String {
        let root = try OperatorPage.root(document)
        guard let name = root["name"]?.string, let moment = root["revoked_at"]?.string else {
            throw OperatorPage.unreadable
        }
        return TextTable.printable("The key of \(name) is revoked since \(moment). Its name stays taken.") + "\n"
    }

    private static func state(_ key: JSONValue, at now: Int64) -> String {
        if let revoked = key["revoked_at"]?.string { return "revoked \(revoked)" }
        let source = key["source"]?.string == "file" ? "in the file" : "works"
        guard let expires = key["expires"]?.string.flatMap(RFC3339.seconds), expires <= now else { return source }
        return "expired"
    }
}

/// What all pages have in common.
enum OperatorPage {
    static let unreadable = ExitError(
        .refused, "the proxy's answer is not understood; use the program of the same version")

    static func root(_ document: [UInt8]) throws(ExitError) -> JSONValue {
        guard let root = try? JSONDocument(parsing: document).root, root.kind == .object else { throw unreadable }
        return root
    }
}
