import Logging
import ProxyTelemetry

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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

    private let source: ConfigurationSource
    private let ledger: LedgerOpener?

    /// - Parameter ledger: opens the ledger, where the program has one.
    package init(
        _ options: Options, environment: [String: String], workingDirectory: String, ledger: LedgerOpener? = nil
    ) {
        self.ledger = ledger
        source = ConfigurationSource(options, environment: environment, workingDirectory: workingDirectory)
    }

    /// `-check`: the lines to print and the exit code. Secrets are in none of them.
    package func check() async -> (lines: [String], code: ExitCode) {
        let configured: LoadedConfiguration
        do {
            configured = try await source.readPatiently(on: .system)
        } catch {
            return (error.errors.map(\.description) + error.warnings.map { "warning: \($0)" }, .badConfiguration)
        }
        let errors = configured.issues.filter { $0.severity == .error }
        let lines =
            CheckReport.lines(
                configured.settings, prices: configured.prices,
                ledger: (try? LedgerPlace(configured.settings.ledger, of: source, named: nil))?.sentence)
            + configured.issues.map { "\($0.severity.rawValue): \($0)" }
        guard errors.isEmpty else { return (lines, .badConfiguration) }
        do {
            _ = try ProxyRules(environment: source.environment)
        } catch {
            return (lines + ["error: \(error)"], .badConfiguration)
        }
        return (lines + ["\(source.file): the configuration is valid"], .cleanStop)
    }

    /// Reads the configuration, opens the log, and puts together what serves.
    ///
    /// - Throws: `ExitError` when it cannot begin.
    package func prepare(_ means: ProcessMeans) async throws -> PreparedProxy {
        let configured: LoadedConfiguration
        do {
            configured = try await source.readPatiently(on: .system)
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
        if configured.settings.shared.address != nil, means.engine == nil {
            let issue = source.issue(
                "shared_state is set, and this program was built without it",
                fix: "build it with the trait Cluster, or remove shared_state")
            throw ExitError(.badConfiguration, "\(issue)")
        }
        let proxies: ProxyRules
        do {
            proxies = try ProxyRules(environment: source.environment)
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
        let time = TimeSource.system
        let service = try ServiceEnvironment(source.environment, process: getpid())
        let output = try makeLogOutput(
            configured.settings.logging, isJournal: service.journal?.isBehind(StandardStream.error) ?? false)
        let logger = output.logger()
        let telemetry = TelemetryEnvironment(
            source.environment,
            identity: .init(name: "ociai-proxy", version: ProxyVersion.current, instance: RequestID.randomHex()))
        for problem in telemetry.problems { logger.warning("\(problem)") }
        let ledger = try await configured.settings.ledger.open(
            ledger, stateDirectory: service.stateDirectory, of: source.path, logger: logger)
        return PreparedProxy(
            graph: ServiceGraph(
                source: source, proxies: proxies, service: service, means: means, output: output, logger: logger,
                ledger: ledger, telemetry: telemetry.settings,
                sharing: Sharing(configured.settings, engine: means.engine, time: time), time: time),
            configuration: configured, output: output)
    }

    private func makeLogOutput(_ settings: LoggingSettings, isJournal: Bool) throws(ExitError) -> LogOutput {
        do {
            return try LogOutput(settings, isJournal: isJournal)
        } catch {
            throw ExitError(.badConfiguration, "\(source.issue(error.message, fix: LogFileError.fix))")
        }
    }
}

/// A proxy that has all it needs, and has not begun.
package struct PreparedProxy: Sendable {
    fileprivate let graph: ServiceGraph
    fileprivate let configuration: LoadedConfiguration
    /// Where it logs.
    package let output: LogOutput

    /// Serves until an order to stop comes, then drains; or until its task is cancelled. The log is written when it returns.
    ///
    /// - Throws: `ExitError` when the configuration cannot be used after all, or the port cannot be had.
    package func run(_ orders: ProcessOrders) async throws {
        // Whoever prints after this prints last.
        defer { output.flush(within: .seconds(1)) }
        try await graph.run(configuration, orders)
    }
}

extension ConfigurationSource {
    /// The file that the command line names, or the one that stands where it is looked for.
    init(_ options: Startup.Options, environment: [String: String], workingDirectory: String) {
        self.init(
            file: ConfigurationFile.choose(
                config: options.config, multiAccount: options.multiAccount,
                exists: { ConfigurationFile.exists(KeyFileLookup.join(workingDirectory, $0)) }),
            overrides: ConfigurationLoader.Overrides(
                host: options.host, port: options.port, multiAccount: options.multiAccount),
            environment: environment, workingDirectory: workingDirectory)
    }
}
