@testable import Proxy

/// The readers of configurations: settings, or an error; nothing that the file says gets lost; and every issue names a line that there is, in one line
/// that moves no cursor.
enum ConfigurationTarget {
    /// What stands between a configuration and the profiles of Oracle's own tools, which `profile` names.
    private static let separator = Array("\n---- profiles ----\n".utf8)

    static func run(_ bytes: [UInt8]) {
        let place = bytes.firstRange(of: separator)
        let (file, profiles) =
            place.map { (Array(bytes[..<$0.lowerBound]), Array(bytes[$0.upperBound...])) } ?? (bytes, [])
        var random = Cuts(bytes).random
        let files = KeyFileLookup(
            configurationDirectory: "/etc/proxy", workingDirectory: "/srv/proxy",
            home: Bool.random(using: &random) ? "/home/me" : nil,
            fileExists: { $0.hasSuffix(".pem") || $0.hasSuffix("token") })
        let environment = CredentialEnvironment(
            values: [
                "OCI_REGION": "us-chicago-1", "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
                "OCI_RESOURCE_PRINCIPAL_RPST": "a.b.c",
                "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": "/key.pem", "KUBERNETES_SERVICE_HOST": "10.0.0.1",
                "OCI_CONFIG_FILE": "/profiles",
            ], readFile: { _ in profiles })
        let overrides = ConfigurationLoader.Overrides(multiAccount: Int.random(in: 0..<4, using: &random) == 0)
        let outcome = Settings.read(
            bytes: file, fileName: "c.conf", files: files, overrides: overrides, credentials: environment)
        expect(
            outcome.settings != nil || outcome.issues.contains { $0.severity == .error }, "no settings, and no reason")
        for issue in outcome.issues { check(issue, lines: lines(of: issue.file == "c.conf" ? file : profiles)) }
        if let settings = outcome.settings { check(settings) }
        if ConfigurationFile.format(of: file) == .ini { checkLines(of: file) } else { checkMembers(of: file) }
        // Other line ends, and one more of them, say the same.
        guard Int.random(in: 0..<4, using: &random) == 0, !file.contains(UInt8(ascii: "\r")) else { return }
        let other = file.flatMap { $0 == UInt8(ascii: "\n") ? Array("\r\n".utf8) : [$0] } + Array("\r\n".utf8)
        let again = Settings.read(
            bytes: other, fileName: "c.conf", files: files, overrides: overrides, credentials: environment)
        expect(
            again.settings == outcome.settings,
            "\(String(describing: again.settings))\nwith other line ends:\n\(String(describing: outcome.settings))")
    }

    /// Each line of an INI file that says something is a header, an entry or a problem, and a plain value is what stands there.
    private static func checkLines(of file: [UInt8]) {
        let document = INIDocument(file)
        guard !file.starts(with: [0xFF, 0xFE]), !file.starts(with: [0xFE, 0xFF]) else { return }
        let entries = Dictionary(
            document.sections.flatMap(\.entries).map { ($0.line, $0) }, uniquingKeysWith: { first, _ in first })
        let others = Set(document.sections.dropFirst().map(\.line) + document.problems.map(\.line))
        for (index, line) in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let text = trimmed(index == 0 && line.starts(with: INIDocument.byteOrderMark) ? line.dropFirst(3) : line)
            guard let first = text.first, !isCommentSign(first) else {
                expect(entries[index + 1] == nil, "line \(index + 1) says nothing")
                continue
            }
            guard let entry = entries[index + 1] else {
                expect(
                    others.contains(index + 1), "line \(index + 1) is lost: \(String(decoding: text, as: UTF8.self))")
                continue
            }
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else {
                return expect(false, "line \(index + 1) has no value")
            }
            let value = trimmed(text[(equals + 1)...])
            if value.first != UInt8(ascii: "\""), value.first != UInt8(ascii: "'"),
                !value.contains(where: isCommentSign)
            {
                expect(
                    entry.value.utf8.elementsEqual(value),
                    "\(entry.value) in the place of \(String(decoding: value, as: UTF8.self))")
            }
        }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = text.drop(while: isBlank)
        return rest.prefix(rest.count - rest.reversed().prefix(while: isBlank).count)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    private static func isCommentSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") }

    /// Each member of a JSON file that is no collection is an entry of the root, with a question mark for each control character of its name.
    private static func checkMembers(of file: [UInt8]) {
        let text = JSONWithComments(file)
        guard text.unclosedComment == nil, let root = try? JSONDocument(parsing: text.plain).root, root.kind == .object
        else { return }
        let names = root.members.flatMap { key, value -> [String] in
            let name = (key.string ?? "").lowercased()
            if JSONConfiguration.groups.contains(name), value.kind == .object {
                return value.members.map { shown($0.key.string ?? "") }
            }
            return JSONConfiguration.collections.contains(name) ? [] : [shown(name)]
        }
        expect(JSONConfiguration(file).sections[0].entries.map(\.name) == names, "other members than \(names)")
    }

    private static func shown(_ name: String) -> String {
        let scalars = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }
        return String(String.UnicodeScalarView(scalars)).lowercased()
    }

    /// Both line feeds and carriage returns end lines for somebody.
    private static func lines(of bytes: [UInt8]) -> Int {
        1
            + String(decoding: bytes, as: UTF8.self).unicodeScalars.count {
                (0x0A...0x0D).contains($0.value) || [0x85, 0x2028, 0x2029].contains($0.value)
            }
    }

    private static func check(_ issue: ConfigurationIssue, lines: Int) {
        expect(!issue.message.isEmpty && !issue.fix.isEmpty, "\(issue)")
        expect(issue.line.map { (1...lines).contains($0) } ?? true, "of \(lines) lines: \(issue)")
        expect(
            issue.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" },
            "\(issue.description.debugDescription)")
    }

    private static func check(_ settings: Settings) {
        expect((0...65_535).contains(settings.server.port), "port \(settings.server.port)")
        expect(!settings.usableAccounts.isEmpty || !settings.providers.isEmpty, "nothing to serve")
        expect(settings.limits.maxRequestSize > 0 && settings.limits.globalMaxConcurrency > 0, "\(settings.limits)")
        _ = settings.supportedModels.admits("meta.llama-3.3-70b-instruct")
    }
}
