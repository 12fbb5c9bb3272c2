import ProxyAccounting
import ProxyRouting

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
    let accountList: AccountList
    let directory: ModelDirectory
    let discovery: ModelDiscovery
    let monitor: Monitor
    let door: FrontDoor
    let health: HealthRoute

    /// What a reload says that there is now.
    var counts: (providers: Int, accounts: Int) {
        (
            Set(settings.providers.map(\.name)).count,
            members.count { $0.upstream.backend.kind == .oci } + accountList.broken.count
        )
    }

    /// - Parameters:
    ///   - members: in the order of `accountList`.
    ///   - before: the generation whose lists of models hold for those who stay.
    ///   - reload: what `POST /v1/reload` does.
    init(
        _ settings: Settings, prices: PriceTable, members: [Membership.Served], accountList: AccountList,
        after before: Generation?,
        in state: ProcessState,
        reload: @escaping ReloadRoute.Reload
    ) {
        self.settings = settings
        self.members = members
        self.accountList = accountList
        let upstreams = members.map(\.upstream)
        directory = ModelDirectory(
            aliases: settings.models.map { ($0.name, $0.target) }, upstreams: upstreams,
            places: state.router.upstreams.count, after: before?.directory,
            names: ModelCatalog.Names(
                ociPrefix: settings.mode == .aggregator ? "oci/" : "", filter: settings.supportedModels),
            successors: Successors(
                settings.successors, retirements: state.retirements, wallClock: state.time.wallClock),
            finds: state.sharing?.finds, time: state.time)
        discovery = ModelDiscovery(
            upstreams, into: directory, interval: settings.timeouts.modelsRefreshInterval, time: state.time,
            logger: state.logger)
        monitor = Monitor(
            router: state.router, upstreams: upstreams, broken: accountList.broken.count,
            interval: settings.timeouts.healthCheckInterval, time: state.time,
            logger: state.logger)
        // Without periodic checks, who asks for the aggregator's health makes one.
        let rounds =
            settings.mode == .aggregator && monitor.interval == .zero ? HealthRounds(upstreams, time: state.time) : nil
        health = HealthRoute(
            mode: settings.mode.rawValue, router: state.router, accountList: accountList, rounds: rounds,
            drain: state.drain, cluster: { [cluster = state.cluster] in cluster.shown })
        let prices = Prices(prices)
        let keys = ClientKeys(
            settings.clientKeys, accounts: state.accounts, managed: state.managedKeys, wallClock: state.time.wallClock)
        door = FrontDoor(
            keys: keys,
            localAccess: LocalAccess(
                isEnabled: settings.server.localAccess, ownUser: UInt32(geteuid()), socketOwner: SocketOwner.ofPeer),
            cors: CORS(origins: settings.server.corsOrigins),
            isAggregator: settings.mode == .aggregator,
            limits: FrontDoor.Limits(
                body: settings.limits.maxRequestSize, connections: settings.clientConnections(of: state.descriptors),
                shutdownGrace: settings.timeouts.shutdownGrace, requestsPerMinute: settings.server.rateLimit,
                bodyMemory: settings.bodyMemory, requestsPerKey: settings.limits.maxConcurrencyPerKey),
            rates: state.rates,
            claims: state.claims,
            endpoints: EndpointTable(
                Endpoints(
                    settings, accountList: accountList, directory: directory, discovery: discovery, monitor: monitor,
                    health: health, prices: prices, keys: keys, in: state, reload: reload)),
            prices: prices, recorder: state.recorder, hasLedger: state.ledger != nil, running: state.running,
            upstreams: state.upstreamNames,
            sessions: state.sessions, alerts: state.alerts,
            tracing: state.tracing, traceParent: settings.server.traceParent,
            counters: state.counters,
            drain: state.drain,
            time: state.time,
            logger: state.logger)
    }
}

extension Settings {
    /// `max_client_connections`, or as many as there are descriptors for.
    func clientConnections(of descriptors: Int) -> Int {
        DescriptorLimit.clients(
            wanted: server.maxClientConnections, upstream: limits.globalMaxConcurrency, of: descriptors)
    }
}

extension ChatCompletionsRoute.Limits {
    init(_ settings: Settings) {
        self.init(
            request: settings.timeouts.request, nonStreaming: settings.timeouts.wholeAnswer,
            head: settings.timeouts.head,
            firstToken: settings.timeouts.firstToken, idleTimeout: settings.timeouts.stream,
            keepAlive: settings.timeouts.keepAliveInterval, answer: settings.limits.maxResponseSize,
            maxTokens: settings.limits.defaultMaxTokens, forcesNonStreaming: settings.routing.forceNonStream)
    }
}

extension CircuitBreaker.Settings {
    init(_ settings: BreakerSettings) {
        self.init(
            maxFailures: settings.maxFailures, resetTimeout: settings.resetTimeout, failureRate: settings.failureRate,
            minRequests: settings.minRequests)
    }
}

extension Settings {
    /// Bytes for request bodies and what becomes of them: as configured, else a share of the machine's or the control group's memory.
    var bodyMemory: Int { limits.maxBodyMemory ?? MemoryFigures.forBodies }
}
