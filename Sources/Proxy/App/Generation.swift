#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// All that goes by one reading of the configuration. Never changed: a reload puts another in its place, and requests that came in by
/// this one's door are answered by it.
struct Generation: Sendable {
    let settings: Settings
    let members: [Membership.Served]
    let roster: Roster
    let directory: ModelDirectory
    let discovery: ModelDiscovery
    let monitor: Monitor
    let door: FrontDoor

    /// What a reload says that there is now.
    var counts: (providers: Int, accounts: Int) {
        (Set(settings.providers.map(\.name)).count, members.count { $0.upstream.backend.kind == .oci } + roster.broken.count)
    }

    /// - Parameters:
    ///   - members: in the order of `roster`.
    ///   - before: the generation whose lists of models hold for those who stay.
    ///   - reload: what `POST /v1/reload` does.
    init(
        _ settings: Settings, members: [Membership.Served], roster: Roster, after before: Generation?, in state: ProcessState,
        reload: @escaping ReloadRoute.Reload
    ) {
        self.settings = settings
        self.members = members
        self.roster = roster
        let upstreams = members.map(\.upstream)
        directory = ModelDirectory(
            aliases: settings.models.map { ($0.name, $0.target) }, upstreams: upstreams, places: state.router.upstreams.count, after: before?.directory,
            names: ModelCatalog.Names(ociPrefix: settings.mode == .aggregator ? "oci/" : "", filter: settings.supportedModels), time: state.time)
        discovery = ModelDiscovery(
            upstreams, into: directory, interval: settings.timeouts.modelsRefreshInterval, time: state.time, logger: state.logger)
        monitor = Monitor(
            router: state.router, upstreams: upstreams, broken: roster.broken.count, interval: settings.timeouts.healthCheckInterval, time: state.time,
            logger: state.logger)
        door = FrontDoor(
            keys: ClientKeys(settings.clientKeys),
            localAccess: LocalAccess(
                isEnabled: settings.server.localAccess, ownUser: UInt32(geteuid()), socketOwner: SocketOwner.ofPeer),
            cors: CORS(origins: settings.server.corsOrigins),
            isAggregator: settings.mode == .aggregator,
            limits: FrontDoor.Limits(
                body: settings.limits.maxRequestSize, connections: settings.clientConnections(of: state.descriptors),
                shutdownGrace: settings.timeouts.shutdownGrace, requestsPerMinute: settings.server.rateLimit,
                bodyMemory: settings.limits.maxBodyMemory ?? MemoryFigures.forBodies, requestsPerKey: settings.limits.maxConcurrencyPerKey),
            rates: state.rates,
            claims: state.claims,
            routes: Self.routes(settings, roster: roster, directory: directory, discovery: discovery, monitor: monitor, in: state, reload: reload),
            counters: state.counters,
            drain: state.drain,
            time: state.time,
            logger: state.logger)
    }

    private static func routes(
        _ settings: Settings, roster: Roster, directory: ModelDirectory, discovery: ModelDiscovery, monitor: Monitor, in state: ProcessState,
        reload: @escaping ReloadRoute.Reload
    ) -> FrontDoor.Routes {
        // Without periodic checks, who asks for the aggregator's health makes one.
        let rounds = settings.mode == .aggregator && monitor.interval == .zero ? HealthRounds(monitor.upstreams, time: state.time) : nil
        let mode = settings.mode.rawValue
        let router = state.router
        let failover = Failover(router: router, retryAttempts: settings.routing.retryAttempts)
        let texts = TextCalls(
            directory: directory, failover: failover, requestLimit: settings.timeouts.wholeAnswer, answerLimit: settings.limits.maxResponseSize,
            time: state.time)
        return FrontDoor.Routes(
            root: RootRoute(mode: mode),
            health: HealthRoute(mode: mode, router: router, roster: roster, rounds: rounds, drain: state.drain),
            chat: ChatCompletionsRoute(
                directory: directory, lessons: state.lessons, failover: failover,
                fallbacks: Dictionary(settings.fallbacks.map { ($0.model, $0.alternatives) }, uniquingKeysWith: { first, _ in first }),
                limits: ChatCompletionsRoute.Limits(settings), time: state.time),
            embeddings: EmbeddingsRoute(calls: texts),
            rerank: RerankRoute(calls: texts),
            models: ModelsRoute(directory: directory, discovery: discovery, accounts: router.upstreams.map(\.id), created: state.startedAt),
            testOCI: TestOCIRoute(upstreams: monitor.upstreams, roster: roster, pace: state.paces.testOCI, time: state.time),
            statistics: StatisticsRoute(
                mode: mode, strategy: settings.routing.strategy.rawValue, breaker: CircuitBreaker.Settings(settings.breaker), roster: roster,
                router: router, directory: directory),
            metrics: MetricsRoute(router: router, roster: roster, process: ProcessFigures(startedAt: state.startedAt), droppedLines: { [output = state.output] in output.dropped }),
            admin: AdminRoute(router: router, roster: roster, discovery: discovery, directory: directory, pace: state.paces.refresh, time: state.time),
            reload: ReloadRoute(reload: reload))
    }
}

extension Settings {
    /// `max_client_connections`, or as many as there are descriptors for.
    func clientConnections(of descriptors: Int) -> Int {
        DescriptorLimit.clients(wanted: server.maxClientConnections, upstream: limits.globalMaxConcurrency, of: descriptors)
    }
}

extension ChatCompletionsRoute.Limits {
    init(_ settings: Settings) {
        self.init(
            request: settings.timeouts.request, whole: settings.timeouts.wholeAnswer, head: settings.timeouts.head,
            firstToken: settings.timeouts.firstToken, silence: settings.timeouts.stream, keepAlive: settings.timeouts.keepAliveInterval, answer: settings.limits.maxResponseSize,
            maxTokens: settings.limits.defaultMaxTokens, forcesWhole: settings.routing.forceNonStream)
    }
}

extension CircuitBreaker.Settings {
    init(_ settings: BreakerSettings) {
        self.init(
            maxFailures: settings.maxFailures, resetTimeout: settings.resetTimeout, failureRate: settings.failureRate, minRequests: settings.minRequests)
    }
}
