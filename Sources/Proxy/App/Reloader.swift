import Logging
import ProxyAccounting
import ProxyRouting

/// Puts one configuration after the other into service. Whatever can go wrong does so before anything has
/// changed.
actor Reloader {
    private let source: ConfigurationSource
    private let state: ProcessState
    private let keeper: GenerationKeeper
    private var logger: Logger { state.logger }

    /// A generation is in service, and the settings that the process started with.
    private struct Service {
        let frontDoor: CurrentFrontDoor
        let started: Settings
        var generation: Generation
    }
    private var service: Service?
    /// Of this installation, as soon as it has begun; nil where nothing is written down.
    private(set) var secret: [UInt8]?
    /// The client key for a file that names none and could not be written.
    private var generatedKey: Secret?
    private lazy var requested = SharedRounds(every: .zero, time: state.time) { [weak self] in await self?.reload() }
    /// Reloads come one after the other: each reads the file as it is when its turn has come.
    private var isBusy = false
    private var turns: [CheckedContinuation<Void, Never>] = []

    init(source: ConfigurationSource, state: ProcessState, keeper: GenerationKeeper) {
        self.source = source
        self.state = state
        self.keeper = keeper
    }

    // MARK: The first

    /// Puts the configuration with which the process starts into service.
    ///
    /// - Throws: `ExitError`.
    func begin(with configuration: LoadedConfiguration) async throws(ExitError) -> CurrentFrontDoor {
        for issue in configuration.issues { logger.warning("\(issue)") }
        if (try? await FileWork.configuration.run(
            within: ConfigurationSource.patience, on: state.time, { [source] in source.removeLeftovers() })) ?? 0 > 0
        {
            logger.notice("Removed a temporary copy of \(source.file) left by an earlier start")
        }
        let configuration = withKey(configuration)
        let list: CandidateList
        do {
            list = try CandidateList(configuration, in: state)
        } catch {
            throw ExitError(.badConfiguration, "\(source.issue(error.message, fix: error.fix))")
        }
        if let pair = configuration.certificate { state.certificate.show(pair) }
        let settings = configuration.settings
        logger.info("Loaded \(settings.contents) from config")
        if let sentence = settings.fullRightSentence { logger.notice("\(sentence)") }
        if let calendar = BudgetCalendar(timeZone: settings.ledger.timeZone) { state.accounts.follow(calendar) }
        let restoration = state.ledger.map { Restoration(ledger: $0, state: state) }
        secret = await restoration?.beforeUpstreams(settings)
        let generation = await generation(of: configuration, list, after: nil)
        if let secret { await restoration?.ofUpstreams(generation, secret) }
        let frontDoor = CurrentFrontDoor(generation.door)
        service = Service(frontDoor: frontDoor, started: settings, generation: generation)
        keeper.keep(generation)
        return frontDoor
    }

    // MARK: The next

    /// A reload for those who ask over HTTP: one reading of the file for all who have asked before it begins.
    ///
    /// - Returns: nil when the proxy is ending.
    func reloadOnRequest() async -> Result<ReloadReport, ConfigurationError>? { await requested.fresh() }

    /// Reads the file again. Requests that arrive after this has returned go by it.
    ///
    /// - Returns: what there is now, or why nothing has changed.
    func reload() async -> Result<ReloadReport, ConfigurationError> {
        await takeTurn()
        defer { endTurn() }
        state.notifier.reloadBegan()
        defer { state.notifier.reloadEnded() }
        do {
            return .success(try await replace())
        } catch {
            for issue in error.errors { logger.error("\(issue)") }
            logger.error("Reload failed; the current configuration stays in use")
            return .failure(error)
        }
    }

    private func replace() async throws(ConfigurationError) -> ReloadReport {
        guard let service else {
            throw ConfigurationError(source.issue("the proxy has not started yet", fix: "try again"))
        }
        let before = service.generation
        let configuration = try await source.readPatiently(on: state.time)
        if let error = ConfigurationError(configuration.issues.filter { !before.accountList.isBroken($0.account) }) {
            throw error
        }
        let list: CandidateList
        do {
            list = try CandidateList(configuration, in: state)
        } catch {
            throw ConfigurationError(source.issue(error.message, fix: error.fix))
        }
        // Behind this nothing fails.
        if let output = state.output { try await move(output, to: configuration.settings.logging) }
        for issue in configuration.issues { logger.warning("\(issue)") }
        // Whether the port speaks TLS was settled when the process started.
        if state.certificate.current != nil, let pair = configuration.certificate { state.certificate.show(pair) }
        let after = await generation(of: withKey(configuration), list, after: before)
        service.frontDoor.replace(with: after.door)
        state.sessions.keep(by: after.door.keys, at: state.time.wallClock())
        state.rates.keep(Set(after.settings.clientKeys.map(\.name) + state.managedKeys.all.map(\.name)))
        self.service?.generation = after
        keeper.keep(after)

        let report = ReloadReport(
            providers: after.counts.providers, accounts: after.counts.accounts,
            restart: after.settings.differencesThatNeedARestart(from: service.started))
        let kept = after.members.count { member in before.members.contains { $0.upstream === member.upstream } }
        logger.notice(
            "Configuration reloaded",
            metadata: [
                "providers": "\(report.providers)", "accounts": "\(report.accounts)", "unchanged": "\(kept)",
                "new": "\(after.members.count - kept)",
            ])
        if !report.restart.isEmpty {
            logger.warning("\(report.restart.joined(separator: ", ")) changed: restart the proxy to apply the change")
        }
        return report
    }

    private func move(_ output: LogOutput, to settings: LoggingSettings) async throws(ConfigurationError) {
        let destination = try await source.patiently(on: state.time) { [source] () throws(ConfigurationError) in
            do throws(LogFileError) {
                return try LogOutput.open(settings)
            } catch {
                throw ConfigurationError(source.issue(error.message, fix: LogFileError.fix))
            }
        }
        output.move(to: destination)
    }

    private func generation(of configuration: LoadedConfiguration, _ list: CandidateList, after before: Generation?)
        async -> Generation
    {
        let settings = configuration.settings
        let managed = Set(state.managedKeys.all.map { $0.name.lowercased() })
        for key in settings.clientKeys where managed.contains(key.name.lowercased()) {
            logger.warning(
                "The client key \(key.name) of the config file has the name of a managed key: both work, and share budgets. Rename the one in the file"
            )
        }
        let clients = settings.clientConnections(of: state.descriptors)
        if clients < settings.server.maxClientConnections,
            settings.server.maxClientConnections != before?.settings.server.maxClientConnections
        {
            logger.warning(
                "max_client_connections = \(settings.server.maxClientConnections) is reduced to \(clients) because the limit of open files is \(state.descriptors): raise that limit (LimitNOFILE= in the unit, or ulimit -n)"
            )
        }
        let upstreams = await state.router.reconfigure(
            Membership.match(list.candidates, with: before?.members ?? []),
            limits: .init(concurrency: settings.limits.globalMaxConcurrency, queue: settings.limits.queueSize),
            strategy: settings.routing.strategy.make())
        let members = zip(list.candidates, upstreams).map { Membership.Served(identity: $0.identity, upstream: $1) }
        return Generation(
            settings, prices: configuration.prices, members: members, accountList: list.accountList(of: upstreams),
            after: before, in: state
        ) { [weak self] in
            guard let report = await self?.reloadOnRequest() else { throw CancellationError() }
            return report
        }
    }

    // MARK: The client key

    /// The configuration with a client key: a file that names none gets a generated one.
    private func withKey(_ configuration: LoadedConfiguration) -> LoadedConfiguration {
        var configuration = configuration
        if configuration.settings.needsGeneratedKey {
            var key = configuration.settings.generatedKey
            key.value = generatedKey ?? storeKey()
            configuration.settings.clientKeys.append(key)
        }
        return configuration
    }

    private func storeKey() -> Secret {
        let (key, failure) = source.storeGeneratedKey()
        generatedKey = key
        if let failure {
            // The only place where a key is ever shown: nobody could use the proxy otherwise.
            let line =
                "The generated client key could not be written to \(source.file) (\(failure)). The key is valid until the next start: \(key.reveal())\n"
            StandardStream.write(line, to: StandardStream.error)
        } else {
            logger.info("Generated a client key and wrote it to \(source.file) as api_key")
        }
        return key
    }

    // MARK: Turns

    private func takeTurn() async {
        guard isBusy else {
            isBusy = true
            return
        }
        // The turn is handed over: it stays busy.
        await withCheckedContinuation { turns.append($0) }
    }

    private func endTurn() {
        if turns.isEmpty { isBusy = false } else { turns.removeFirst().resume() }
    }
}

extension AccountList {
    /// An account that was lost before is no reason to refuse what else the file says.
    fileprivate func isBroken(_ id: String?) -> Bool { broken.contains { $0.id == id } }
}

extension Settings {
    /// Names of keys whose new values this process cannot take over.
    func differencesThatNeedARestart(from started: Settings) -> [String] {
        var keys: [String] = []
        if server.host != started.server.host { keys.append("host") }
        if server.port != started.server.port { keys.append("port") }
        if server.admin != started.server.admin { keys.append("admin_listen") }
        if ledger.directory != started.ledger.directory { keys.append("state_dir") }
        if ledger.retention != started.ledger.retention { keys.append("ledger_retention") }
        if ledger.maxSize != started.ledger.maxSize { keys.append("ledger_max_size") }
        if ledger.timeZone != started.ledger.timeZone { keys.append("timezone") }
        if shared.address != started.shared.address { keys.append("shared_state") }
        if shared.cluster != started.shared.cluster { keys.append("cluster") }
        if shared.instances != started.shared.instances { keys.append("instances") }
        if (server.tlsCertificate == nil) != (started.server.tlsCertificate == nil) { keys += ["tls_cert", "tls_key"] }
        return keys
    }
}

extension Settings {
    /// `5 models`, and in a file with providers `3 providers`.
    fileprivate var contents: String {
        let names = Set(providers.map(\.name)).count
        let provided = names == 0 ? [] : ["\(names) \(names == 1 ? "provider" : "providers")"]
        let named = models.isEmpty && names > 0 ? [] : ["\(models.count) models"]
        return (provided + named).joined(separator: " and ")
    }
}
