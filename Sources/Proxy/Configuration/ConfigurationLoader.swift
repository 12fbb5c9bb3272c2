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

        package var errors: [ConfigurationIssue] { issues.filter { $0.severity == .error } }
        package var warnings: [ConfigurationIssue] { issues.filter { $0.severity == .warning } }
    }

    /// Reads `file` (relative to `workingDirectory`) and checks it. Writes nothing: see `storeGeneratedKey`.
    package static func load(
        file: String, overrides: Overrides = Overrides(), environment: [String: String], workingDirectory: String
    ) -> Outcome {
        let path = absolute(file, workingDirectory)
        do {
            let bytes = try ConfigurationFile.read(path, name: file)
            let files = KeyFileLookup(
                configurationDirectory: KeyFileLookup.directory(of: path), workingDirectory: workingDirectory,
                home: environment["HOME"], fileExists: ConfigurationFile.exists)
            let credentials = CredentialEnvironment(values: environment, readFile: { try? ConfigurationFile.read($0, name: $0) })
            return Settings.read(bytes: bytes, fileName: file, files: files, overrides: overrides, credentials: credentials)
        } catch {
            return Outcome(settings: nil, issues: error.errors)
        }
    }

    /// Makes a client key and writes it into the file. The file is read again, so that an edit meanwhile is kept.
    ///
    /// - Returns: the key, and, when it could not be written, why: then the caller shows the key once, since nothing
    ///   else will.
    package static func storeGeneratedKey(
        file: String, workingDirectory: String
    ) -> (key: ClientKey, failure: String?) {
        let key = ClientKey(name: "default", value: ClientKeyGenerator.makeKey())
        let path = absolute(file, workingDirectory)
        do {
            let bytes = try ConfigurationFile.read(path, name: file)
            try FileReplacement.replace(path, with: ClientKeyGenerator.insert(key.value, into: bytes))
            return (key, nil)
        } catch {
            return (key, "\(error)")
        }
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
        return ConfigurationLoader.Outcome(settings: settings, issues: reader.issues)
    }
}
