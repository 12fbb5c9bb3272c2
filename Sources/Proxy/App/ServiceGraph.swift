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
    private let accounts: [ConfiguredAccount]
    private let logger: Logger
    private let time: TimeSource

    package init(settings: Settings, accounts: [ConfiguredAccount], logger: Logger, time: TimeSource = .system) {
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
        let clusters = try makeClusterTransports(on: group)
        let providers = try settings.providers.isEmpty ? nil : makeProviderTransport(on: group)
        let (router, roster) = try makeRouter(Transports(common: transport, providers: providers ?? transport, others: clusters))
        let directory = ModelDirectory(
            aliases: settings.models.map { ($0.name, $0.target) }, accounts: router.upstreams.map { ModelCatalog.Account($0.backend) },
            names: ModelCatalog.Names(ociPrefix: settings.mode == .aggregator ? "oci/" : "", filter: settings.supportedModels), time: time)
        let discovery = ModelDiscovery(
            router.upstreams, into: directory, interval: settings.timeouts.modelsRefreshInterval, time: time, logger: logger)
        let monitor = Monitor(
            router: router, broken: roster.broken.count, interval: settings.timeouts.healthCheckInterval, time: time, logger: logger)
        let listener = try Listener(
            doors: Doors(makeDoor(router, roster, directory, discovery, monitor)), settings: settings.server, bodyLimit: settings.limits.maxRequestSize,
            group: group, logger: logger)

        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: transport, successTerminationBehavior: .gracefullyShutdownGroup),
            ] + (clusters.values + (providers.map { [$0] } ?? [])).map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) } + [
                .init(service: router, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: discovery, successTerminationBehavior: .gracefullyShutdownGroup),
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

    /// To providers: their answers may be compressed, and the file says how long unused connections are kept.
    private func makeProviderTransport(on group: any EventLoopGroup) throws -> AsyncHTTPClientTransport {
        try AsyncHTTPClientTransport(
            group: group,
            options: .init(
                idleTimeout: TimeAmount(settings.connections.keepAliveExpiry),
                connectionsPerHost: max(settings.limits.globalMaxConcurrency, settings.connections.limit, 1024) + 16,
                unpackedLimit: max(settings.limits.maxResponseSize, Self.longestUnpackedStream), trustedCertificates: settings.caFile))
    }

    /// Streams are asked for uncompressed; this is for providers that compress them all the same.
    private static let longestUnpackedStream = 64 << 20

    /// A transport for each authority that only an account's token service needs, by the authority's file.
    private func makeClusterTransports(on group: any EventLoopGroup) throws -> [String: AsyncHTTPClientTransport] {
        var transports: [String: AsyncHTTPClientTransport] = [:]
        for case .loaded(let account) in accounts {
            guard let authority = account.authority, transports[authority] == nil else { continue }
            do {
                transports[authority] = try AsyncHTTPClientTransport(group: group, options: .init(connectionsPerHost: 4, trustedCertificates: authority))
            } catch {
                throw ExitError(
                    .badConfiguration,
                    "the cluster's authority \(authority) cannot be used (\(error)); set OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH to a PEM file")
            }
        }
        return transports
    }

    /// The router over all accounts that can be used, and the list of all that the file names.
    private func makeRouter(_ transports: Transports) throws -> (Router, Roster) {
        var members: [(backend: any Backend, settings: Upstream.Settings)] = []
        var throttles: [String: Int] = [:]
        var entries: [Roster.Entry] = []
        for configured in accounts {
            switch configured {
            case .idle(let account): entries.append(.idle(account))
            case .loaded(let loaded):
                let throttle = throttles[loaded.throttle] ?? throttles.count
                throttles[loaded.throttle] = throttle
                entries.append(.serving(members.count))
                members.append((
                    loaded.account(transports: transports, time: time, logger: logger),
                    Upstream.Settings(
                        weight: loaded.settings.weight, maxConcurrency: loaded.settings.maxConcurrency, throttle: throttle,
                        breaker: breaker)
                ))
            }
        }
        for provider in settings.providers {
            entries.append(.serving(members.count))
            members.append((
                Provider(provider, transport: transports.providers, time: time),
                // What one provider throttles is no business of the others, nor of its own other tokens.
                Upstream.Settings(maxConcurrency: provider.maxConcurrency, throttle: throttles.count + members.count, breaker: breaker)
            ))
        }
        guard !members.isEmpty else {
            throw ExitError(.badConfiguration, "no account and no provider can be used; run with -check to see why")
        }
        let router = Router(
            members, limits: .init(concurrency: settings.limits.globalMaxConcurrency, queue: settings.limits.queueSize),
            strategy: settings.routing.strategy.make(), time: time, logger: logger)
        return (router, Roster(entries: entries))
    }

    private var breaker: CircuitBreaker.Settings {
        CircuitBreaker.Settings(
            maxFailures: settings.breaker.maxFailures, resetTimeout: settings.breaker.resetTimeout,
            failureRate: settings.breaker.failureRate, minRequests: settings.breaker.minRequests)
    }

    private func makeDoor(
        _ router: Router, _ roster: Roster, _ directory: ModelDirectory, _ discovery: ModelDiscovery, _ monitor: Monitor
    ) -> FrontDoor {
        // Without periodic checks, who asks for the aggregator's health makes one.
        let rounds = settings.mode == .aggregator && monitor.interval == .zero ? HealthRounds(monitor) : nil
        let mode = settings.mode.rawValue
        let failover = Failover(router: router, retryAttempts: settings.routing.retryAttempts)
        let texts = TextCalls(
            directory: directory, failover: failover, requestLimit: settings.timeouts.wholeAnswer, answerLimit: settings.limits.maxResponseSize, time: time)
        return FrontDoor(
            keys: ClientKeys(settings.clientKeys),
            localAccess: LocalAccess(
                isEnabled: settings.server.localAccess, ownUser: UInt32(geteuid()), socketOwner: SocketOwner.ofPeer),
            cors: CORS(origins: settings.server.corsOrigins),
            isAggregator: settings.mode == .aggregator,
            routes: FrontDoor.Routes(
                root: RootRoute(mode: mode),
                health: HealthRoute(mode: mode, router: router, roster: roster, rounds: rounds),
                chat: ChatCompletionsRoute(
                    directory: directory, lessons: ModelLessons(), failover: failover,
                    fallbacks: Dictionary(settings.fallbacks.map { ($0.model, $0.alternatives) }, uniquingKeysWith: { first, _ in first }),
                    limits: .init(
                        request: settings.timeouts.request, whole: settings.timeouts.wholeAnswer, firstToken: settings.timeouts.firstToken, silence: settings.timeouts.stream,
                        keepAlive: settings.timeouts.keepAliveInterval, answer: settings.limits.maxResponseSize,
                        maxTokens: settings.limits.defaultMaxTokens, forcesWhole: settings.routing.forceNonStream),
                    time: time),
                embeddings: EmbeddingsRoute(calls: texts),
                rerank: RerankRoute(calls: texts),
                models: ModelsRoute(directory: directory, discovery: discovery, accounts: router.upstreams.map(\.id), created: time.wallClock()),
                testOCI: TestOCIRoute(upstreams: router.upstreams, roster: roster),
                statistics: StatisticsRoute(
                    mode: mode, strategy: settings.routing.strategy.rawValue, breaker: breaker, roster: roster, router: router, directory: directory),
                metrics: MetricsRoute(router: router, roster: roster, process: ProcessFigures(startedAt: time.wallClock())),
                admin: AdminRoute(router: router, roster: roster, discovery: discovery, directory: directory)),
            counters: RequestCounters(),
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
