import ProxyAccounting

/// The configuration file and all that belongs to reading it: read at start, and again at each reload.
package struct ConfigurationSource: Sendable {
    /// As the user named it.
    let file: String
    let overrides: ConfigurationLoader.Overrides
    let environment: [String: String]
    let workingDirectory: String

    /// Absolute.
    var path: String { file.hasPrefix("/") ? file : KeyFileLookup.join(workingDirectory, file) }

    /// Where it is.
    var directory: String {
        let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return parent.isEmpty ? "/" : String(parent)
    }

    /// For how long a reload, or the start, waits for the file and those that it names.
    static let patience = Duration.seconds(10)

    /// `read`, away from the threads that serve requests, and no longer than `patience`.
    func readPatiently(on time: TimeSource) async throws(ConfigurationError) -> LoadedConfiguration {
        try await patiently(on: time) { () throws(ConfigurationError) in
            let loaded = try read()
            // These are read again by those who use them: here, what hangs does not hang there.
            if let authorities = loaded.settings.caFile {
                _ = try? ConfigurationFile.read(authorities, name: authorities)
            }
            return loaded
        }
    }

    /// Does something with files that may hang.
    func patiently<Value: Sendable>(
        on time: TimeSource, _ work: @escaping @Sendable () throws(ConfigurationError) -> Value
    ) async throws(ConfigurationError) -> Value {
        let result: Result<Value, ConfigurationError>
        do {
            result = try await FileWork.configuration.run(within: Self.patience, on: time) {
                do throws(ConfigurationError) { return .success(try work()) } catch { return .failure(error) }
            }
        } catch is CancellationError {
            throw ConfigurationError(issue("the proxy is shutting down", fix: "start it again"))
        } catch {
            throw ConfigurationError(
                issue(
                    "the file, or a file that it refers to, could not be read within \(Self.patience.components.seconds) s",
                    fix: "check the disk or network drive that they are on"))
        }
        return try result.get()
    }

    /// Reads the file and the keys that it names.
    ///
    /// - Throws: when nothing can be served with it.
    func read() throws(ConfigurationError) -> LoadedConfiguration {
        let (settings, issues) = try readSettings()
        var loaded = LoadedConfiguration(settings: settings, accounts: [], issues: issues)
        loaded.certificate = try certificate(settings.server, &loaded.issues)
        let prices = try prices(settings.ledger)
        loaded.prices = prices.table
        loaded.issues += prices.issues
        for entry in settings.accounts { add(entry, to: &loaded) }
        if settings.providers.isEmpty,
            !loaded.accounts.contains(where: { if case .loaded = $0 { true } else { false } })
        {
            throw ConfigurationError(loaded.issues)
                ?? ConfigurationError(issue("no account is enabled", fix: "set enabled = true for at least one"))
        }
        return loaded
    }

    /// What the file says, without the keys of accounts and other files that it names.
    func readSettings() throws(ConfigurationError) -> (settings: Settings, issues: [ConfigurationIssue]) {
        let outcome = ConfigurationLoader.load(
            file: file, overrides: overrides, environment: environment, workingDirectory: workingDirectory)
        guard let settings = outcome.settings else {
            throw ConfigurationError(outcome.issues)
                ?? ConfigurationError(issue("the file cannot be used", fix: "compare it with the examples in configs/"))
        }
        return (settings, outcome.issues)
    }

    /// Removes what a process that was killed while it wrote the file has left beside it.
    func removeLeftovers() -> Int {
        ConfigurationLoader.removeLeftovers(file: file, workingDirectory: workingDirectory)
    }

    /// Makes a client key and writes it into the file.
    ///
    /// - Returns: the key, and why it could not be written.
    func storeGeneratedKey() -> (key: Secret, failure: String?) {
        ConfigurationLoader.storeGeneratedKey(file: file, workingDirectory: workingDirectory)
    }

    /// An error that concerns the whole file.
    func issue(_ message: String, fix: String) -> ConfigurationIssue {
        ConfigurationIssue(.error, file: file, line: nil, message: message, fix: fix)
    }

    /// Built-in ones, those of the file that is named, and the configuration's own; and what is odd in that file.
    func prices(_ ledger: LedgerSettings) throws(ConfigurationError) -> (
        table: PriceTable, issues: [ConfigurationIssue]
    ) {
        var entries = BuiltInPrices.entries
        var issues: [ConfigurationIssue] = []
        if let path = ledger.pricesFile {
            do {
                let bytes = try ConfigurationFile.read(path, name: path)
                let read = try PricesFile.read(bytes, name: path)
                entries += read.entries
                issues = read.issues
            } catch {
                let reason = (error as? PricesFile.Problem)?.reason ?? "\(error)"
                throw ConfigurationError(
                    issue(
                        "prices_file = \(path) cannot be used: \(reason)",
                        fix: "name a file in the form of LiteLLM's model_prices_and_context_window.json"))
            }
        }
        return (PriceTable(entries + ledger.prices), issues)
    }

    private func certificate(_ server: ServerSettings, _ issues: inout [ConfigurationIssue]) throws(ConfigurationError)
        -> CertificatePair?
    {
        guard let files = CertificatePair.Files(server) else { return nil }
        do {
            let pair = try CertificatePair(files)
            if pair.expiry < TimeSource.system.wallClock() {
                issues.append(
                    ConfigurationIssue(
                        .warning, file: file, line: nil,
                        message:
                            "the certificate of tls_cert = \(files.certificate) expired at \(RFC3339.format(pair.expiry))",
                        fix: "renew it: clients will refuse it"))
            }
            return pair
        } catch {
            throw ConfigurationError(issue(error.message, fix: error.fix))
        }
    }

    private func add(_ entry: AccountEntry, to loaded: inout LoadedConfiguration) {
        switch entry {
        case .unusable(let id, _, let errors):
            loaded.accounts.append(
                .idle(IdleAccount(id: id, problem: errors.first?.description ?? "its configuration is incomplete")))
        case .usable(let account) where account.isEnabled: load(account, into: &loaded)
        case .usable(let account): loaded.accounts.append(.idle(IdleAccount(account, problem: nil)))
        }
    }

    private func load(_ account: AccountSettings, into loaded: inout LoadedConfiguration) {
        let (usable, issues) = AccountLoading(configuration: file, now: TimeSource.system.wallClock()).load(account)
        loaded.issues += issues
        if let usable {
            loaded.accounts.append(.loaded(usable))
        } else {
            let problem = issues.first { $0.severity == .error }?.description ?? "its credentials cannot be used"
            loaded.accounts.append(.idle(IdleAccount(account, problem: problem)))
        }
    }
}

/// What a file amounts to: settings, accounts with their keys, and all that is wrong.
package struct LoadedConfiguration: Sendable {
    var settings: Settings
    /// In the order of the file.
    var accounts: [ConfiguredAccount]
    var issues: [ConfigurationIssue]
    /// Built in ones, those of the prices file, and the configuration's own.
    var prices = PriceTable()
    /// Of the listener; nil when it is to speak plain HTTP.
    var certificate: CertificatePair?
}
