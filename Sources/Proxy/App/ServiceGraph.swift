package import Logging
import HummingbirdCore
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Everything that runs, put together once. What starts first stops last.
package struct ServiceGraph: Sendable {
    private let settings: Settings
    private let accounts: [LoadedAccount]
    private let logger: Logger
    private let time: TimeSource

    package init(settings: Settings, accounts: [LoadedAccount], logger: Logger, time: TimeSource = .system) {
        self.settings = settings
        self.accounts = accounts
        self.logger = logger
        self.time = time
    }

    /// Serves until SIGTERM or SIGINT, then lets running requests finish within `shutdown_grace`.
    ///
    /// - Throws: `ExitError` when the port cannot be had.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let transport = try makeTransport(on: group)
        let upstreams = accounts.map { Upstream($0.account(transport: transport, time: time)) }
        let monitor = Monitor(upstreams: upstreams, interval: settings.timeouts.healthCheckInterval, time: time, logger: logger)
        let listener = try Listener(
            door: makeDoor(upstreams), settings: settings.server, bodyLimit: settings.limits.maxRequestSize,
            group: group, logger: logger)

        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: transport, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: monitor, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: listener, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        configuration.maximumGracefulShutdownDuration = settings.timeouts.shutdownGrace
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func makeTransport(on group: any EventLoopGroup) throws -> AsyncHTTPClientTransport {
        do {
            // Requests in flight are bounded by the permits; the client's own bound must never be the smaller one.
            return try AsyncHTTPClientTransport(
                group: group,
                options: .init(connectionsPerHost: max(settings.limits.globalMaxConcurrency, 1024) + 16, trustedCertificates: settings.caFile))
        } catch {
            throw ExitError(
                .badConfiguration,
                "ca_file = \(settings.caFile ?? "") cannot be used (\(error)); name a PEM file with one or more certificates")
        }
    }

    private func makeDoor(_ upstreams: [Upstream]) throws -> FrontDoor {
        guard let upstream = upstreams.first else {
            throw ExitError(.badConfiguration, "no account can be used; run with -check to see why")
        }
        let mode = settings.mode.rawValue
        let catalog = ModelCatalog(aliases: settings.models.map { ($0.name, $0.target) })
        return FrontDoor(
            keys: ClientKeys(settings.clientKeys),
            localAccess: LocalAccess(
                isEnabled: settings.server.localAccess, ownUser: UInt32(geteuid()), socketOwner: SocketOwner.ofPeer),
            cors: CORS(origins: settings.server.corsOrigins),
            routes: FrontDoor.Routes(
                root: RootRoute(mode: mode),
                health: HealthRoute(mode: mode, upstreams: upstreams),
                chat: ChatCompletionsRoute(
                    catalog: catalog, upstream: upstream,
                    limits: .init(
                        request: settings.timeouts.request, firstToken: settings.timeouts.firstToken, silence: settings.timeouts.stream,
                        keepAlive: settings.timeouts.keepAliveInterval, answer: settings.limits.maxResponseSize,
                        maxTokens: settings.limits.defaultMaxTokens, forcesWhole: settings.routing.forceNonStream),
                    time: time),
                models: ModelsRoute(catalog: catalog, accounts: accounts.map(\.id), created: time.wallClock()),
                testOCI: TestOCIRoute(upstreams: upstreams)),
            time: time,
            logger: logger)
    }

    /// For libraries whose informative lines would only repeat ours.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
