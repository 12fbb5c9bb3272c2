/// From a path to settings: reads the file, checks it, and puts the command line's values over it.
package enum ConfigurationLoader {
    /// What the command line says beside the file.
    package struct Overrides: Sendable, Equatable {
        package var host: String?
        package var port: Int?
        package var multiAccount: Bool

        package init(host: String? = nil, port: Int? = nil, multiAccount: Bool = false) {
            self.host = host
            self.port = port
            self.multiAccount = multiAccount
        }
    }

    /// What came of it.
    package struct Outcome: Sendable, Equatable {
        /// Nil when the proxy cannot run on this file. With settings there may still be errors: those of some accounts
        /// among several, which `-check` counts as errors and a start as warnings.
        package var settings: Settings?
        /// Errors and warnings, in file order.
        package var issues: [ConfigurationIssue]

        /// Somebody who reads the file can use something of it.
        var holdsSecrets = false
        /// Client keys that may be found by trying.
        var shortKeys: [ShortKey] = []

        package var errors: [ConfigurationIssue] { issues.filter { $0.severity == .error } }
        package var warnings: [ConfigurationIssue] { issues.filter { $0.severity == .warning } }
    }

    /// A client key of few characters; its name as messages show it.
    struct ShortKey: Sendable, Equatable {
        let name: String
        let line: Int
    }

    /// Reads `file` (relative to `workingDirectory`) and checks it. Writes nothing: see `storeGeneratedKey`.
    package static func load(
        file: String, overrides: Overrides = Overrides(), environment: [String: String], workingDirectory: String
    ) -> Outcome {
        let path = absolute(file, workingDirectory)
        do {
            let contents = try ConfigurationFile.open(path, name: file)
            let files = KeyFileLookup(
                configurationDirectory: KeyFileLookup.directory(of: path), workingDirectory: workingDirectory,
                home: environment["HOME"], fileExists: ConfigurationFile.exists)
            let credentials = CredentialEnvironment(
                values: environment, readFile: { try? ConfigurationFile.read($0, name: $0) })
            var outcome = Settings.read(
                bytes: contents.bytes, fileName: file, files: files, overrides: overrides, credentials: credentials)
            guard let settings = outcome.settings else { return outcome }
            if outcome.holdsSecrets, let issue = exposure(contents, file) { outcome.issues.append(issue) }
            outcome.issues += outcome.shortKeys.map { weakness(of: $0, file, on: settings.server.host) }
            if outcome.issues.contains(where: { $0.severity == .error && $0.account == nil }) { outcome.settings = nil }
            return outcome
        } catch {
            return Outcome(settings: nil, issues: error.errors)
        }
    }

    /// There is no lock-out, so a short key can be found by trying; on loopback, that is for the users of the machine to try.
    private static func weakness(of key: ShortKey, _ file: String, on host: String) -> ConfigurationIssue {
        let isLoopback = HostName.isLoopback(host.lowercased())
        return ConfigurationIssue(
            isLoopback ? .warning : .error, file: file, line: key.line,
            message:
                "the client key \(key.name) is shorter than \(SettingsReader.shortestKey) characters\(isLoopback ? "" : ", and \(host) is not a loopback address")",
            fix: "use a long random key, such as the output of openssl rand -hex 16")
    }

    /// A file with keys that others may read or write. What root owns may be open to a group: it is how a service reads its configuration
    /// and cannot write it.
    private static func exposure(_ file: RegularFile.Contents, _ name: String) -> ConfigurationIssue? {
        let harmless: UInt32 = file.owner == 0 && file.group != 0 ? 0o040 : 0
        guard file.mode & 0o077 & ~harmless != 0 else { return nil }
        return ConfigurationIssue(
            .warning, file: name, line: nil,
            message:
                "the file contains keys, and other users of this machine can \(file.mode & 0o022 != 0 ? "write" : "read") it",
            fix: "run chmod 600 on it")
    }

    /// Makes a client key and writes it into the file. The file is read again, so that an edit meanwhile is kept.
    ///
    /// - Returns: the key, and, when it could not be written, why: then the caller shows the key once, since nothing
    ///   else will.
    package static func storeGeneratedKey(
        file: String, workingDirectory: String
    ) -> (key: Secret, failure: String?) {
        let key = ClientKeyGenerator.makeKey()
        let path = absolute(file, workingDirectory)
        do {
            let bytes = try ConfigurationFile.read(path, name: file)
            try FileReplacement.replace(path, with: ClientKeyGenerator.insert(key, into: bytes))
            return (key, nil)
        } catch {
            return (key, "\(error)")
        }
    }

    /// Removes what `storeGeneratedKey` has left beside the file when its process was killed.
    ///
    /// - Returns: how many files that were.
    package static func removeLeftovers(file: String, workingDirectory: String) -> Int {
        FileReplacement.removeLeftovers(of: absolute(file, workingDirectory))
    }

    private static func absolute(_ file: String, _ workingDirectory: String) -> String {
        file.hasPrefix("/") ? file : KeyFileLookup.join(workingDirectory, file)
    }
}

extension Settings {
    /// The pure core: the bytes of a file to settings and issues.
    package static func read(
        bytes: [UInt8], fileName: String, files: KeyFileLookup,
        overrides: ConfigurationLoader.Overrides = ConfigurationLoader.Overrides(),
        credentials: CredentialEnvironment = CredentialEnvironment()
    ) -> ConfigurationLoader.Outcome {
        var reader = SettingsReader(
            bytes, fileName: fileName, files: files, credentials: credentials, requiresAccounts: overrides.multiAccount)
        reader.read()
        guard reader.isUsable else { return ConfigurationLoader.Outcome(settings: nil, issues: reader.issues) }
        var settings = reader.settings
        if let host = overrides.host { settings.server.host = host }
        if let port = overrides.port { settings.server.port = port }
        return ConfigurationLoader.Outcome(
            settings: settings, issues: reader.issues, holdsSecrets: reader.holdsSecrets, shortKeys: reader.shortKeys)
    }
}
