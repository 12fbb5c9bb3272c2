@testable import Proxy

/// The readers of configurations: settings, or an error; and every issue names a line that there is, in one line that moves no cursor.
enum ConfigurationTarget {
    /// What stands between a configuration and the profiles of Oracle's own tools, which `profile` names.
    private static let separator = Array("\n---- profiles ----\n".utf8)

    static func run(_ bytes: [UInt8]) {
        let place = bytes.firstRange(of: separator)
        let (file, profiles) = place.map { (Array(bytes[..<$0.lowerBound]), Array(bytes[$0.upperBound...])) } ?? (bytes, [])
        var random = Cuts(bytes).random
        let files = KeyFileLookup(
            configurationDirectory: "/etc/proxy", workingDirectory: "/srv/proxy", home: Bool.random(using: &random) ? "/home/me" : nil,
            fileExists: { $0.hasSuffix(".pem") || $0.hasSuffix("token") })
        let environment = CredentialEnvironment(
            values: [
                "OCI_REGION": "us-chicago-1", "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2", "OCI_RESOURCE_PRINCIPAL_RPST": "a.b.c",
                "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": "/key.pem", "KUBERNETES_SERVICE_HOST": "10.0.0.1", "OCI_CONFIG_FILE": "/profiles",
            ], readFile: { _ in profiles })
        let overrides = ConfigurationLoader.Overrides(multiAccount: Int.random(in: 0..<4, using: &random) == 0)
        let outcome = Settings.read(bytes: file, fileName: "c.conf", files: files, overrides: overrides, credentials: environment)
        expect(outcome.settings != nil || outcome.issues.contains { $0.severity == .error }, "no settings, and no reason")
        for issue in outcome.issues { check(issue, lines: lines(of: issue.file == "c.conf" ? file : profiles)) }
        if let settings = outcome.settings { check(settings) }
    }

    /// Both line feeds and carriage returns end lines for somebody.
    private static func lines(of bytes: [UInt8]) -> Int {
        1 + String(decoding: bytes, as: UTF8.self).unicodeScalars.count { (0x0A...0x0D).contains($0.value) || [0x85, 0x2028, 0x2029].contains($0.value) }
    }

    private static func check(_ issue: ConfigurationIssue, lines: Int) {
        expect(!issue.message.isEmpty && !issue.mend.isEmpty, "\(issue)")
        expect(issue.line.map { (1...lines).contains($0) } ?? true, "of \(lines) lines: \(issue)")
        expect(issue.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" }, "\(issue.description.debugDescription)")
    }

    private static func check(_ settings: Settings) {
        expect((0...65_535).contains(settings.server.port), "port \(settings.server.port)")
        expect(!settings.usableAccounts.isEmpty || !settings.providers.isEmpty, "nothing to serve")
        expect(settings.limits.maxRequestSize > 0 && settings.limits.globalMaxConcurrency > 0, "\(settings.limits)")
        _ = settings.supportedModels.admits("meta.llama-3.3-70b-instruct")
    }
}
