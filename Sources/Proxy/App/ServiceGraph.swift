import Logging
import NIOPosix
import ServiceLifecycle

/// Everything that runs, put together once. What starts first stops last.
struct ServiceGraph: Sendable {
    private let source: ConfigurationSource
    private let proxies: ProxyRules
    private let service: ServiceEnvironment
    private let output: LogOutput
    private let logger: Logger
    private let time: TimeSource

    init(
        source: ConfigurationSource, proxies: ProxyRules = .none, service: ServiceEnvironment, output: LogOutput,
        logger: Logger, time: TimeSource = .system
    ) {
        self.source = source
        self.proxies = proxies
        self.service = service
        self.output = output
        self.logger = logger
        self.time = time
    }

    /// Serves until SIGTERM or SIGINT, then lets running requests finish within `shutdown_grace` (`Listener`).
    ///
    /// - Throws: `ExitError` when the configuration cannot be used after all, or the port cannot be had.
    func run(_ configuration: LoadedConfiguration) async throws {
        // Before anybody is told that the process is ready: a signal that nobody waits for ends it.
        let signals = await StopSignals()
        let hangups = await HangupSignal.Signals()
        CodecTypes.prepare()
        let group = MultiThreadedEventLoopGroup.singleton
        let transports = TransportCache(group: group)
        warnOfGaps()
        let notifier = ServiceNotifier(service.notifySocket.flatMap { NotifySocket($0) })
        if let name = service.notifySocket, !notifier.isOn {
            logger.warning(
                "NOTIFY_SOCKET=\(name) is not a usable Unix socket; systemd will not be notified")
        }
        let state = ProcessState(
            transports: transports, proxies: proxies, notifier: notifier, time: time, output: output, logger: logger)
        let keeper = GenerationKeeper()
        let reloader = Reloader(source: source, state: state, keeper: keeper)
        let frontDoor = try await reloader.begin(with: configuration)
        let server = configuration.settings.server
        let listener = Listener(
            gate: frontDoor, drain: state.drain, certificate: state.certificate,
            address: service.sockets.isEmpty ? .host(server.host, port: server.port) : .inherited(service.sockets),
            onStart: { notifier.started() }, onStop: { notifier.stopped() }, group: group, logger: logger)

        let watch = CertificateWatch(certificate: state.certificate, time: time, logger: logger)
        // The listener stops first: a reload that waits for a slow disk must not keep it from draining.
        var services: [any Service] = [
            transports, state.router, keeper, watch, IdleMemory(time: time),
            HangupSignal(signals: hangups, reloader: reloader), listener,
        ]
        if notifier.isOn {
            // Stops last: signs of life are due during the drain as well.
            let report = ServiceReport(
                notifier: notifier, watchdog: service.watchdog,
                summary: { await keeper.present?.health.summary() ?? .init(healthy: 0, total: 0, inFlight: 0) },
                drain: state.drain, time: time)
            services.insert(report, at: 0)
        }
        var settings = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
            logger: quiet(logger))
        // The drain is bounded by the listener itself. When a part of the process has failed, the others are cancelled; if one of them does not
        // even end then, the process does, for the service manager to start it again.
        settings.maximumCancellationDuration = .seconds(5)
        let all = ServiceGroup(configuration: settings)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await signals.watch(all, output: output) }
            defer { tasks.cancelAll() }
            try await all.run()
        }
        logger.info("Stopped")
    }

    private func warnOfGaps() {
        let warnings = PacedWarnings(interval: .seconds(60))
        time.deadlines.onGap { [logger, time] length in
            guard warnings.isDue("gap", at: time.now()) else { return }
            logger.warning(
                "The process was suspended or got no CPU time; deadlines that expired meanwhile are checked again",
                metadata: ["late_ms": "\(length.milliseconds)"])
        }
    }

    /// For libraries whose informative lines would only repeat ours.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = .warning
        return logger
    }
}
