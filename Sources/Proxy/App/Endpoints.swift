import NIOHTTP1
import ProxyAccounting
import ProxyRouting
import ProxyTelemetry

/// What answers behind the front door, and the table of what is served where. A new endpoint is a handler here and a row below.
struct Endpoints: Sendable {
    let root: RootRoute
    let health: HealthRoute
    let chat: ChatCompletionsRoute
    let messages: MessagesRoute
    let responses: ResponsesRoute
    let completions: CompletionsRoute
    let forward: ForwardRoute
    let embeddings: EmbeddingsRoute
    let rerank: RerankRoute
    let models: ModelsRoute
    let testOCI: TestOCIRoute
    let statistics: StatisticsRoute
    let metrics: MetricsRoute
    let admin: AdminRoute
    let reload: ReloadRoute
    let usage: UsageRoute
    let keys: KeysRoute
    let ledger: LedgerRoute
    let why: WhyRoute
    let window: WindowRoute
    let signIn: OperatorSignIn
    /// Of the process, for those who change something in its ledger.
    var identity: OwnIdentity?
}

extension EndpointTable {
    /// Bytes of a chat's body that is read and translated in some microseconds. Signatures leave the event loop by themselves.
    private static let smallBody = 32 * 1024

    init(_ endpoints: Endpoints) {
        let root = endpoints.root
        let health = endpoints.health
        let chat = endpoints.chat
        let messages = endpoints.messages
        let responses = endpoints.responses
        let completions = endpoints.completions
        let forward = endpoints.forward
        let embeddings = endpoints.embeddings
        let rerank = endpoints.rerank
        let models = endpoints.models
        let testOCI = endpoints.testOCI
        let statistics = endpoints.statistics
        let metrics = endpoints.metrics
        let admin = endpoints.admin
        let reload = endpoints.reload
        let usage = endpoints.usage
        func statisticsPage(_ page: StatisticsRoute.Page) -> Endpoint {
            Endpoint(.GET, "/stats/\(page.rawValue)", label: "stats", for: .viewer) {
                $0.send(await statistics.answer(page))
            }
        }
        let behindRoot: [Endpoint] = [
            // Whoever watches the proxy is not to wait for a thread that others keep busy.
            Endpoint(.GET, "/health", label: "health", for: .anyone, on: .eventLoop(upTo: .max), isForClients: true) {
                $0.send(await health.answer())
            },
            Endpoint(
                .POST, "/v1/chat/completions", label: "chat", for: .client, body: .large,
                on: .eventLoop(upTo: Self.smallBody)
            ) { try await chat.respond($0) },
            Endpoint(
                .POST, "/v1/responses", label: "responses", for: .client, body: .large,
                on: .eventLoop(upTo: Self.smallBody)
            ) { try await responses.respond($0) },
            Endpoint(.POST, "/v1/responses/input_tokens", label: "responses", for: .client, body: .large) {
                try await responses.count($0)
            },
            Endpoint(
                .GET, also: [.DELETE, .POST], "/v1/responses/{id}", label: "responses", for: .client,
                shownAs: [
                    "GET,DELETE /v1/responses/{id}", "GET /v1/responses/{id}/input_items",
                    "POST /v1/responses/{id}/cancel",
                ]
            ) { try await responses.kept($0) },
            Endpoint(
                .POST, "/v1/messages", label: "messages", for: .client, body: .large,
                on: .eventLoop(upTo: Self.smallBody),
                errors: .anthropic
            ) { try await messages.respond($0) },
            Endpoint(
                .POST, "/v1/messages/count_tokens", label: "messages", for: .client, body: .large, errors: .anthropic
            ) { try await messages.count($0) },
            Endpoint(
                .POST, "/v1/completions", label: "completions", for: .client, body: .large,
                on: .eventLoop(upTo: Self.smallBody)
            ) { try await completions.respond($0) },
            Endpoint(.POST, "/v1/images/{operation}", label: "images", for: .client, body: .streamed) {
                try await forward.respond($0, in: "images", ForwardRoute.images)
            },
            Endpoint(.POST, "/v1/audio/{operation}", label: "audio", for: .client, body: .streamed) {
                try await forward.respond($0, in: "audio", ForwardRoute.audio)
            },
            Endpoint(.POST, "/v1/moderations", label: "moderations", for: .client, body: .large) {
                try await forward.respond($0, to: "/moderations")
            },
            Endpoint(.POST, "/v1/embeddings", label: "embeddings", for: .client, body: .large) {
                try await embeddings.respond($0)
            },
            Endpoint(.POST, "/v1/rerank", label: "rerank", for: .client, body: .large) { try await rerank.respond($0) },
            Endpoint(.GET, "/v1/usage", label: "usage", for: .client) { $0.send(usage.answer($0)) },
            Endpoint(.GET, "/v1/models", label: "models", for: .clientOrLocal) { $0.send(try await models.list($0)) },
            Endpoint(.GET, "/v1/models/{id}", label: "models", for: .clientOrLocal) {
                $0.send(try await models.one($0))
            },
            Endpoint(.GET, "/openapi.json", label: "openapi", for: .anyone) {
                $0.send(.json(Array(OpenAPIDocument.text.utf8)))
            },
            Endpoint(.GET, "/test-oci", label: "test-oci", for: .viewer, isCharged: true) {
                $0.send(await testOCI.answer())
            },
            statisticsPage(.accounts), statisticsPage(.concurrency), statisticsPage(.circuitBreaker),
            statisticsPage(.queue),
            Endpoint(.GET, "/metrics", label: "metrics", for: .viewer) { $0.send(await metrics.answer()) },
            Endpoint(.POST, "/admin/circuit-breaker/reset", label: "admin", for: .admin) {
                $0.send(try await admin.resetBreakers(RequestTarget.query(of: $0.request.head.uri)))
            },
            Endpoint(.POST, "/admin/models/refresh", label: "admin", for: .client, isForClients: false) {
                $0.send(try await admin.refreshModels())
            },
        ]
        let behindKeys: [Endpoint] = [
            Endpoint(.POST, "/v1/reload", label: "admin", for: .admin, isCharged: true) {
                $0.send(try await reload.answer())
            }
        ]
        let all =
            behindRoot + Self.dashboard(endpoints.window, endpoints.signIn)
            + Self.books(endpoints.keys, endpoints.ledger, endpoints.why, of: endpoints.identity) + behindKeys
        let titles = ["GET /"] + all.flatMap(\.titles)
        self.init([Endpoint(.GET, "/", label: "root", for: .anyone) { $0.send(root.answer(titles)) }] + all)
    }

    /// The operator's page, and what it asks for.
    private static func dashboard(_ window: WindowRoute, _ signIn: OperatorSignIn) -> [Endpoint] {
        let files = DashboardFiles()
        return [
            Endpoint(.GET, "/dashboard", label: "dashboard", for: .anyone) {
                $0.send(try files.answer(nil, $0))
            },
            Endpoint(.GET, "/dashboard/{file}", label: "dashboard", for: .anyone, takesOneSegment: true) {
                $0.send(try files.answer($0.rest, $0))
            },
            Endpoint(.POST, also: [.DELETE], "/dashboard/login", label: "dashboard", for: .anyone) {
                try signIn.respond($0)
            },
            Endpoint(.GET, "/dashboard/session", label: "dashboard", for: .viewer) { $0.send(signIn.session($0)) },
            Endpoint(.GET, "/dashboard/state", label: "dashboard", for: .viewer) { $0.send(await window.state()) },
            Endpoint(.GET, "/dashboard/events", label: "dashboard", for: .viewer) {
                try await window.events($0, whileAllowed: signIn.stillHolds)
            },
            Endpoint(.GET, "/dashboard/strips", label: "dashboard", for: .viewer) { $0.send(await window.strips()) },
            Endpoint(.GET, "/dashboard/models", label: "dashboard", for: .viewer) { $0.send(window.models()) },
            Endpoint(.GET, "/dashboard/usage", label: "dashboard", for: .viewer) { $0.send(await window.usage()) },
        ]
    }

    /// What needs the ledger and no upstream: the command line is answered by these as well when no proxy runs.
    ///
    /// - Parameter process: whose books they are; nil where that is known to whoever asks.
    static func books(
        _ keys: KeysRoute, _ ledger: LedgerRoute, _ why: WhyRoute, of process: OwnIdentity? = nil
    ) -> [Endpoint] {
        func checked(_ handler: @escaping Endpoint.Handler) -> Endpoint.Handler {
            guard let process else { return handler }
            return { context in
                try process.check(context)
                try await handler(context)
            }
        }
        return [
            Endpoint(
                .GET, "/why/{request-id}", label: "why", for: .viewer, checked { $0.send(try await why.answer($0)) }),
            Endpoint(
                .GET, also: [.POST], "/admin/keys", label: "keys", for: .admin, checked { try await keys.respond($0) }),
            Endpoint(
                .GET, also: [.POST, .DELETE], "/admin/keys/{name}", label: "keys", for: .admin,
                shownAs: [
                    "GET,DELETE /admin/keys/{name}", "GET /admin/keys/{name}/history", "POST /admin/keys/{name}/rotate",
                ],
                checked { try await keys.change($0) }),
            Endpoint(
                .GET, "/admin/ledger/export", label: "ledger", for: .viewer,
                checked { try await ledger.export($0) }),
            Endpoint(
                .POST, "/admin/ledger/reprice", label: "ledger", for: .admin,
                checked { $0.send(try await ledger.reprice($0)) }),
            Endpoint(
                .GET, "/admin/ledger/requests", label: "ledger", for: .viewer,
                checked { $0.send(try await ledger.requests($0)) }),
            Endpoint(
                .GET, "/admin/ledger/{table}", label: "ledger", for: .viewer,
                checked { $0.send(try await ledger.report($0)) }),
        ]
    }
}

extension Endpoints {
    init(
        _ settings: Settings, accountList: AccountList, directory: ModelDirectory, discovery: ModelDiscovery,
        monitor: Monitor, health: HealthRoute, prices: Prices, keys: ClientKeys, warnings: [String] = [],
        in state: ProcessState, reload: @escaping ReloadRoute.Reload
    ) {
        let mode = settings.mode.rawValue
        let router = state.router
        var failover = Failover(router: router, retryAttempts: settings.routing.retryAttempts)
        failover.retirements = state.retirements
        let texts = TextCalls(
            directory: directory, failover: failover, requestLimit: settings.timeouts.wholeAnswer,
            answerLimit: settings.limits.maxResponseSize,
            time: state.time)
        let chat = ChatCompletionsRoute(
            directory: directory, quirks: state.quirks, failover: failover,
            fallbacks: Dictionary(
                settings.fallbacks.map { ($0.model, $0.alternatives) }, uniquingKeysWith: { first, _ in first }),
            limits: ChatCompletionsRoute.Limits(settings), rescue: RescuePolicy(settings, counting: state.rescues),
            time: state.time)
        let rescue = RescuePolicy(settings, counting: state.rescues)
        let feed = WindowFeed(
            WindowSource(
                mode: mode, strategy: settings.routing.strategy.rawValue, version: ProxyVersion.current,
                startedAt: state.startedAt, accountList: accountList, router: router, directory: directory,
                running: state.running, recent: { [recent = state.recent] in recent.last(100) },
                ledger: { [ledger = state.ledger] in ledger?.figures },
                alerts: { [alerts = state.alerts] in alerts.recent }, warnings: warnings,
                cluster: { [cluster = state.cluster] in cluster.shown }, drain: state.drain), time: state.time)
        let seals = ReasoningSeals(settings.clientKeys, others: state.seals)
        state.responses.configure(ResponseStore.Limits(settings.responses))
        self.init(
            root: RootRoute(mode: mode),
            health: health,
            chat: chat,
            messages: MessagesRoute(chat: chat, seals: seals),
            responses: ResponsesRoute(
                chat: chat, seals: seals, store: state.responses, makers: state.makers,
                shared: state.sharing.map { SharedResponses($0.documents, state) }),
            completions: CompletionsRoute(chat: chat),
            forward: ForwardRoute(chat: chat),
            embeddings: EmbeddingsRoute(calls: texts),
            rerank: RerankRoute(calls: texts),
            models: ModelsRoute(
                directory: directory, discovery: discovery, accounts: router.upstreams.map(\.id),
                created: state.startedAt, retirements: state.retirements),
            testOCI: TestOCIRoute(
                upstreams: monitor.upstreams, accountList: accountList, pace: state.paces.testOCI, time: state.time),
            statistics: StatisticsRoute(
                mode: mode, strategy: settings.routing.strategy.rawValue,
                breaker: CircuitBreaker.Settings(settings.breaker), accountList: accountList,
                router: router, directory: directory),
            metrics: MetricsRoute(
                router: router, accountList: accountList, process: ProcessFigures(startedAt: state.startedAt),
                counters: state.counters, rates: state.rates,
                droppedLines: { [output = state.output] in output?.dropped ?? 0 }, claims: state.claims,
                bodyMemory: settings.bodyMemory, rescues: state.rescues,
                ledger: { [ledger = state.ledger] in ledger?.figures },
                retiring: { [directory, retirements = state.retirements] in
                    directory.catalog.retiring(retirements).map { ($0.name, $0.at) }
                }, spans: { [tracing = state.tracing] in tracing?.exporter.figures },
                cluster: { [cluster = state.cluster] in cluster.shown }),
            admin: AdminRoute(
                router: router, accountList: accountList, discovery: discovery, directory: directory,
                pace: state.paces.refresh, time: state.time),
            reload: ReloadRoute(reload: reload),
            usage: UsageRoute(
                rates: state.rates, requestsPerMinute: settings.server.rateLimit,
                claims: state.claims, isLedgerOn: state.ledger != nil, time: state.time),
            keys: KeysRoute(
                fileKeys: settings.clientKeys, managed: state.managedKeys, ledger: state.ledger, time: state.time),
            ledger: LedgerRoute(
                ledger: state.ledger, time: state.time, prices: LedgerPrices(prices, by: settings),
                turn: state.repricing),
            why: WhyRoute(
                running: state.running, recent: state.recent, ledger: state.ledger, upstreams: state.upstreamNames,
                time: state.time),
            window: WindowRoute(
                feed: feed, isCurrent: state.readings.next(), accountList: accountList, router: router,
                directory: directory,
                fallbacks: chat.fallbacks, rescue: rescue, quirks: state.quirks, prices: prices.table,
                retirements: state.retirements, keys: settings.clientKeys, managed: state.managedKeys,
                accounts: state.accounts, earlier: state.earlierUses),
            signIn: OperatorSignIn(keys: keys, sessions: state.sessions, time: state.time),
            identity: state.identity)
    }
}

extension ResponseStore.Limits {
    init(_ settings: ResponsesSettings) {
        self.init(isOn: settings.isStored, timeToLive: settings.timeToLive, count: settings.count)
    }
}
