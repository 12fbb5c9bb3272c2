package import Logging
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// Everything that runs, put together once. What starts first stops last.
package struct ServiceGraph: Sendable {
    private let source: ConfigurationSource
    private let proxies: ProxyRules
    private let output: LogOutput
    private let logger: Logger
    private let time: TimeSource

    package init(source: ConfigurationSource, proxies: ProxyRules = .none, output: LogOutput, logger: Logger, time: TimeSource = .system) {
        self.source = source
        self.proxies = proxies
        self.output = output
        self.logger = logger
        self.time = time
    }

    /// Serves until SIGTERM or SIGINT, then lets running requests finish within `shutdown_grace`.
    ///
    /// - Throws: `ExitError` when the configuration cannot be used after all, or the port cannot be had.
    package func run(_ configuration: LoadedConfiguration) async throws {
        CodecTypes.prepare()
        let group = MultiThreadedEventLoopGroup.singleton
        let transports = TransportShelf(group: group)
        let state = ProcessState(transports: transports, proxies: proxies, time: time, logger: logger)
        let keeper = GenerationKeeper()
        let reloader = Reloader(source: source, state: state, keeper: keeper, output: output)
        let doors = try await reloader.begin(with: configuration)
        let listener = try Listener(doors: doors, settings: configuration.settings.server, group: group, logger: logger)

        var services = ServiceGroupConfiguration(
            services: ([transports, state.router, keeper, listener, HangupSignal(reloader: reloader)] as [any Service]).map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        services.maximumGracefulShutdownDuration = configuration.settings.timeouts.shutdownGrace
        services.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: services).run()
        logger.info("Stopped")
    }

    /// For libraries whose informative lines would only repeat ours.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = .warning
        return logger
    }
}
