import Logging

/// From the command line to a running proxy, or to the one line that says why not.
package struct Startup: Sendable {
    /// What the command line said.
    package struct Options: Sendable {
        package var config: String?
        package var host: String?
        package var port: Int?
        package var multiAccount: Bool

        package init(config: String? = nil, host: String? = nil, port: Int? = nil, multiAccount: Bool = false) {
            self.config = config
            self.host = host
            self.port = port
            self.multiAccount = multiAccount
        }
    }

    private let file: String
    private let overrides: ConfigurationLoader.Overrides
    private let environment: [String: String]
    private let workingDirectory: String

    package init(_ options: Options, environment: [String: String], workingDirectory: String) {
        file = ConfigurationFile.choose(
            config: options.config, multiAccount: options.multiAccount,
            exists: { ConfigurationFile.exists(KeyFileLookup.join(workingDirectory, $0)) })
        overrides = ConfigurationLoader.Overrides(host: options.host, port: options.port, multiAccount: options.multiAccount)
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    /// What the file amounts to: settings, accounts with their keys, and all that is wrong.
    private struct Configured {
        var settings: Settings
        /// In the order of the file.
        var accounts: [ConfiguredAccount]
        var issues: [ConfigurationIssue]
    }

    /// `-check`: the lines to print and the exit code. Secrets are in none of them.
    package func check() -> (lines: [String], code: ExitCode) {
        let configured: Configured
        do {
            configured = try configure()
        } catch {
            return (error.errors.map(\.description), .badConfiguration)
        }
        let errors = configured.issues.filter { $0.severity == .error }
        let lines = CheckReport.lines(configured.settings) + configured.issues.map { "\($0.severity.rawValue): \($0)" }
        guard errors.isEmpty else { return (lines, .badConfiguration) }
        return (lines + ["\(file): the configuration is valid"], .cleanStop)
    }

    /// Serves until the process is told to stop.
    ///
    /// - Throws: `ExitError` when it cannot begin.
    package func serve() async throws {
        var configured: Configured
        do {
            configured = try configure()
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
        let logger = try makeLogger(configured.settings.logging)
        for issue in configured.issues { logger.warning("\(issue)") }
        if configured.settings.needsGeneratedKey { storeKey(in: &configured.settings, logger) }
        logger.info("Loaded \(configured.settings.models.count) models from config")
        try await ServiceGraph(settings: configured.settings, accounts: configured.accounts, logger: logger).run()
        logger.info("Stopped")
    }

    /// Reads the file and the keys that it names.
    ///
    /// - Throws: when nothing can be served with it.
    private func configure() throws(ConfigurationError) -> Configured {
        let outcome = ConfigurationLoader.load(
            file: file, overrides: overrides, environment: environment, workingDirectory: workingDirectory)
        guard let settings = outcome.settings else {
            throw ConfigurationError(outcome.issues) ?? ConfigurationError(unexplained)
        }
        var configured = Configured(settings: settings, accounts: [], issues: outcome.issues)
        for entry in settings.accounts { add(entry, to: &configured) }
        if settings.providers.isEmpty, !configured.accounts.contains(where: { if case .loaded = $0 { true } else { false } }) {
            throw ConfigurationError(configured.issues)
                ?? ConfigurationError(
                    ConfigurationIssue(
                        .error, file: file, line: nil, message: "no account is enabled", mend: "set enabled = true for at least one"))
        }
        return configured
    }

    private var unexplained: ConfigurationIssue {
        ConfigurationIssue(.error, file: file, line: nil, message: "the file cannot be used", mend: "compare it with the examples in configs/")
    }

    private func add(_ entry: AccountEntry, to configured: inout Configured) {
        switch entry {
        case .unusable(let id, _, let errors):
            configured.accounts.append(.idle(IdleAccount(id: id, problem: errors.first?.description ?? "it is not configured completely")))
        case .usable(let account) where account.isEnabled: load(account, into: &configured)
        case .usable(let account): configured.accounts.append(.idle(IdleAccount(account, problem: nil)))
        }
    }

    private func load(_ account: AccountSettings, into configured: inout Configured) {
        let loading = AccountLoading(configuration: file, now: TimeSource.system.wallClock())
        let (loaded, issues) = loading.load(account)
        configured.issues += issues
        if let loaded {
            configured.accounts.append(.loaded(loaded))
        } else {
            let problem = issues.first { $0.severity == .error }?.description ?? "its credentials cannot be used"
            configured.accounts.append(.idle(IdleAccount(account, problem: problem)))
        }
    }

    private func makeLogger(_ settings: LoggingSettings) throws(ExitError) -> Logger {
        let format: LogOutput.Format = settings.format == .json ? .json : .text
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        guard let path = settings.file else { return LogOutput(format: format).logger(level: level) }
        do {
            return try LogOutput(file: path, format: format).logger(level: level)
        } catch {
            throw ExitError(
                .badConfiguration, "\(file): log_file = \(error.file) cannot be opened (\(error.reason)); name a file that this user may write")
        }
    }

    private func storeKey(in settings: inout Settings, _ logger: Logger) {
        let (key, failure) = ConfigurationLoader.storeGeneratedKey(file: file, workingDirectory: workingDirectory)
        settings.clientKeys.append(key)
        if let failure {
            // The only place where a key is ever shown: nobody could use the proxy otherwise.
            let line = "The generated client key could not be written into \(file) (\(failure)). It is valid until the next start: \(key.value.reveal())\n"
            StandardStream.write(line, to: StandardStream.error)
        } else {
            logger.info("Generated a client key and wrote it into \(file) as api_key")
        }
    }
}
