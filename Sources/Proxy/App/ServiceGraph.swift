import Logging
import NIOCore
import NIOPosix
import ProxyAccounting
import ProxyTelemetry
import ServiceLifecycle

/// Everything that runs, put together once. What starts first stops last.
struct ServiceGraph: Sendable {
    let state: ProcessState
    let keeper = GenerationKeeper()
    let reloader: Reloader
    /// Those who ask in the process itself.
    let clients: InProcessClients
    private let service: ServiceEnvironment
    private let means: ProcessMeans
    private let group = MultiThreadedEventLoopGroup.singleton

    private var logger: Logger { state.logger }
    private var time: TimeSource { state.time }

    /// - Parameter output: where `logger` writes, when a configuration may move it.
    init(
        source: ConfigurationSource, proxies: ProxyRules = .none, service: ServiceEnvironment, means: ProcessMeans,
        output: LogOutput?, logger: Logger, ledger: (any Ledger)? = nil, telemetry: TelemetrySettings? = nil,
        sharing: Sharing? = nil, time: TimeSource = .system
    ) {
        self.service = service
        self.means = means
        state = ProcessState(
            transports: TransportCache(group: group), proxies: proxies,
            notifier: ServiceNotifier(service.notifySocket.flatMap { NotifySocket($0) }), time: time, output: output,
            logger: logger, descriptors: means.descriptors, ledger: ledger,
            identity: OwnIdentity(configuration: source.path), telemetry: telemetry, sharing: sharing)
        reloader = Reloader(source: source, state: state, keeper: keeper)
        clients = InProcessClients(on: group, drain: state.drain, door: { [keeper] in keeper.present?.door })
    }

    /// Serves until an order to stop comes, or graceful shutdown begins around it, then lets running requests finish within `shutdown_grace`
    /// (`Listener`); or until its task is cancelled. Once.
    ///
    /// - Parameters:
    ///   - orders: what the process wants meanwhile; nil when that is told by graceful shutdown and by calls alone.
    ///   - onStart: gets the addresses that are listened on.
    /// - Throws: `ExitError` when the configuration cannot be used after all, or the port cannot be had.
    func run(
        _ configuration: LoadedConfiguration, _ orders: ProcessOrders?,
        onStart: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) async throws {
        CodecTypes.prepare()
        warnOfGaps()
        if let name = service.notifySocket, !state.notifier.isOn {
            logger.warning(
                "NOTIFY_SOCKET=\(name) is not a usable Unix socket; systemd will not be notified")
        }
        defer { clients.close() }
        let frontDoor = try await reloader.begin(with: configuration)
        let server = configuration.settings.server
        let listeners =
            [adminListener(by: server, frontDoor)].compactMap(\.self)
            + [listener(by: server, frontDoor, onStart: onStart)]
        var settings = ServiceGroupConfiguration(
            services: services(listeners, orders, configuration, secret: await reloader.secret).map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }, logger: quiet(logger))
        // The drain is bounded by the listener itself. When a part of the process has failed, the others are cancelled; if one of them does not
        // even end then, the process does, for the service manager to start it again. A program that embeds the proxy has other things to do.
        if orders != nil { settings.maximumCancellationDuration = .seconds(5) }
        let all = ServiceGroup(configuration: settings)
        let end: Result<Void, any Error>
        do {
            try await run(all, until: orders?.stops)
            end = .success(())
        } catch {
            end = .failure(error)
        }
        // Whatever the end was, it is written down.
        await state.ledger?.close(within: Self.ledgerGrace)
        try end.get()
        logger.info("Stopped")
    }

    /// What the ledger has to write what is left.
    private static let ledgerGrace = Duration.seconds(5)

    private func run(_ all: ServiceGroup, until stops: AsyncStream<Void>?) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let stops {
                tasks.addTask { for await _ in stops { await all.triggerGracefulShutdown() } }
            }
            defer { tasks.cancelAll() }
            try await all.run()
        }
    }

    private func listener(
        by server: ServerSettings, _ frontDoor: CurrentFrontDoor, onStart: @escaping @Sendable ([SocketAddress]) -> Void
    ) -> Listener {
        let (notifier, tracing, logger) = (state.notifier, state.tracing, logger)
        return Listener(
            gate: EntranceGate(door: frontDoor, entrance: server.admin == nil ? .only : .clients), drain: state.drain,
            certificate: state.certificate,
            address: service.sockets.isEmpty ? .host(server.host, port: server.port) : .inherited(service.sockets),
            onStart: { addresses in
                notifier.started()
                onStart(addresses)
                if let tracing { logger.info("Traces are sent to \(tracing.endpoint)") }
            }, onStop: { notifier.stopped() }, group: group, logger: logger)
    }

    /// For the operator, when there is an address for that. Nobody but the machine itself reaches a loopback address or a file, so these speak plain HTTP.
    private func adminListener(by server: ServerSettings, _ frontDoor: CurrentFrontDoor) -> Listener? {
        let address: ListeningAddress
        var certificate = ListenerCertificate()
        switch server.admin {
        case .none: return nil
        case .unix(let path): address = .unix(path)
        case .host(let host, let port):
            address = .host(host, port: port)
            if !HostName.isLoopback(host.lowercased()) { certificate = state.certificate }
        }
        return Listener(
            gate: EntranceGate(door: frontDoor, entrance: .operators), drain: state.drain, certificate: certificate,
            address: address, title: "for the operator ", onStart: { _ in }, onStop: {}, group: group, logger: logger)
    }

    private func services(
        _ listeners: [Listener], _ orders: ProcessOrders?, _ configuration: LoadedConfiguration, secret: [UInt8]?
    ) -> [any Service] {
        var services: [any Service] = []
        if state.notifier.isOn {
            // Stops last: signs of life are due during the drain as well.
            services.append(
                ServiceReport(
                    notifier: state.notifier, watchdog: service.watchdog,
                    summary: { [keeper] in
                        await keeper.present?.health.summary() ?? .init(healthy: 0, total: 0, inFlight: 0)
                    }, drain: state.drain, time: time))
        }
        services += [
            state.transports, state.router, keeper,
            CertificateWatch(certificate: state.certificate, time: time, logger: logger),
        ]
        if let ledger = state.ledger { services.append(LedgerWatch(ledger: ledger, time: time, logger: logger)) }
        if let ledger = state.ledger, let secret {
            services.append(MemoryKeeper(ledger: ledger, state: state, keeper: keeper, secret: secret))
        }
        if let tracing = state.tracing { services.append(TelemetryExport(exporter: tracing.exporter)) }
        services.append(AlertWatch(state: state, keeper: keeper))
        let destinations = AlertDestinations(
            settings: { [keeper] in keeper.present?.settings.alerts ?? AlertSettings() },
            transport: { [state] in
                // Its own, without what providers' settings change.
                try state.transports.transport(NIOTransport.Options(proxies: state.proxies))
            }, time: time)
        services.append(
            AlertDelivery(
                alerts: state.alerts, pass: { try await destinations.pass($0, to: $1) }, time: time, logger: logger))
        services += ClusterServices(configuration.settings, state: state, keeper: keeper)?.all ?? []
        if let trim = means.trim { services.append(IdleMemory(time: time, trim: trim)) }
        if let reloads = orders?.reloads { services.append(ReloadRequests(requests: reloads, reloader: reloader)) }
        // Whoever lets requests in stops first: a reload that waits for a slow disk must not keep them from draining.
        services.append(Entrances(listeners: listeners, clients: clients))
        return services
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

/// The ways by which requests come in. They stop together, within one `shutdown_grace`.
private struct Entrances: Service {
    /// The clients' comes last: nobody is let in, and no service manager told, before all of them stand.
    let listeners: [Listener]
    let clients: InProcessClients

    func run() async throws {
        var open: [(listener: Listener, door: Listener.Open)] = []
        for listener in listeners {
            do {
                open.append((listener, try await listener.open()))
            } catch {
                for (_, door) in open { await door.close() }
                throw error
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { [open] ways in
            for (listener, door) in open { ways.addTask { try await listener.serve(door) } }
            ways.addTask { await clients.run() }
            // Where one fails, this throws, and the other is cancelled.
            for try await _ in ways {}
        }
    }
}
