import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import TestFixtures
import Testing

@testable import Proxy
@testable import ProxyRouting

extension URL {
    /// A file of the test fixtures.
    static func fixture(_ path: String) -> URL { Fixtures.url(path) }
}

extension OCIAccount {
    /// An account with the fixtures' key, in front of `transport`.
    static func fixture(_ transport: any HTTPTransport, time: TimeSource, id: String = "default") throws -> OCIAccount {
        OCIAccount(
            id: id, region: "us-chicago-1", compartment: "ocid1.compartment.oc1..aaaaaaaacompartmentfixture",
            inference: ServiceURL(try #require(BaseURL("http://127.0.0.1:9"))),
            management: ServiceURL(try #require(BaseURL("http://127.0.0.1:9"))),
            credentials: .key(try RequestSigner.fixture()), transport: transport, time: time)
    }
}

extension FrontDoor {
    static let key = "0123456789abcdef0123456789abcdef"

    /// A whole door over one account.
    static func fixture(
        _ transport: any HTTPTransport = FakeTransport(status: 500, body: "{}"), time: TimeSource = ManualTime().source,
        limits: ChatCompletionsRoute.Limits = .fixture, cors: [String] = ["*"], socketOwner: UInt32? = 1000,
        accounts: Int = 1, bodyLimit: Int = 1 << 20, rateLimit: Int = 0, rates: RequestRates = RequestRates(),
        bodyMemory: Int = .max, requestsPerKey: Int = 0, claims: RequestClaims = RequestClaims(),
        shutdownGrace: Duration = .seconds(30), keys: [ClientKey] = [.fixture], logger: Logger = .silent
    ) throws -> FrontDoor {
        try fixture(
            over: try Router.fixture(transport, time: time, accounts: accounts), time: time, limits: limits, cors: cors,
            socketOwner: socketOwner,
            bodyLimit: bodyLimit, rateLimit: rateLimit, rates: rates, bodyMemory: bodyMemory,
            requestsPerKey: requestsPerKey, claims: claims, shutdownGrace: shutdownGrace, keys: keys, logger: logger)
    }

    /// A whole door over a provider `up`.
    static func provider(
        _ transport: any HTTPTransport, time: TimeSource = ManualTime().source,
        limits: ChatCompletionsRoute.Limits = .fixture, dialects: Set<ProviderDialect>? = nil,
        responses: ResponseStore? = nil
    ) throws -> FrontDoor {
        let settings = ProviderSettings(
            id: "up", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:9/v1")), token: Secret("sk-12345678"),
            dialects: dialects)
        let router = Router(
            [(Provider(settings, transport: transport, time: time), Upstream.Settings())],
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time, random: { 0.5 },
            logger: .silent)
        return try fixture(over: router, time: time, limits: limits, responses: responses)
    }

    /// The same over a router of the test's own.
    static func fixture(
        over router: Router, time: TimeSource, limits: ChatCompletionsRoute.Limits = .fixture, cors: [String] = ["*"],
        socketOwner: UInt32? = 1000,
        bodyLimit: Int = 1 << 20, rateLimit: Int = 0, rates: RequestRates = RequestRates(), bodyMemory: Int = .max,
        requestsPerKey: Int = 0,
        claims: RequestClaims = RequestClaims(), shutdownGrace: Duration = .seconds(30),
        responses: ResponseStore? = nil, makers: ResponseMakers = ResponseMakers(),
        rescue: RescuePolicy = RescuePolicy(), fallbacks: [String: [String]] = [:], keys: [ClientKey] = [.fixture],
        aliases: [(name: String, target: String)] = [], ledger: (any Ledger)? = nil, prices: Prices = Prices(),
        keyAccounts: KeyAccounts? = nil, managedKeys: ManagedKeys? = nil, alerts: Alerts? = nil,
        logger: Logger = .silent
    ) throws -> FrontDoor {
        let keyAccounts = keyAccounts ?? KeyAccounts()
        let managed = managedKeys ?? ManagedKeys(accounts: keyAccounts)
        let accounts = router.upstreams.count
        let counters = RequestCounters()
        let accountList = AccountList(entries: (0..<accounts).map { .serving($0) })
        let directory = ModelDirectory(
            aliases: [("grok-4", "xai.grok-4"), ("llama-3.3-70b", "meta.llama-3.3-70b-instruct")] + aliases,
            accounts: router.upstreams.map { ModelCatalog.Account($0.backend) }, time: time)
        // Of nobody: no service makes its rounds here.
        let discovery = ModelDiscovery([], into: directory, interval: .seconds(10), time: time, logger: logger)
        let failover = Failover(router: router, retryAttempts: 3)
        let texts = TextCalls(
            directory: directory, failover: failover, requestLimit: limits.request, answerLimit: limits.answer,
            time: time)
        let chat = ChatCompletionsRoute(
            directory: directory, quirks: ModelQuirks(), failover: failover, fallbacks: fallbacks, limits: limits,
            rescue: rescue, time: time)
        let seals = ReasoningSeals(keys)
        let clientKeys = ClientKeys(keys, accounts: keyAccounts, managed: managed, wallClock: time.wallClock)
        let (running, sessions) = (RunningRequests(), OperatorSessions())
        let recent = ledger?.recent ?? RecentEntries()
        let names = UpstreamNames { router.upstreams.map(\.id) }
        let feed = WindowFeed(
            WindowSource(
                mode: "single", strategy: "round_robin", version: "0", startedAt: 1_700_000_000,
                accountList: accountList, router: router, directory: directory, running: running,
                recent: { recent.last(100) }, ledger: { ledger?.figures }, alerts: { [] }, warnings: [],
                drain: Drain()), time: time)
        return FrontDoor(
            keys: clientKeys,
            localAccess: LocalAccess(isEnabled: true, ownUser: 1000, socketOwner: { _ in socketOwner }),
            cors: CORS(origins: cors),
            limits: .init(
                body: bodyLimit, connections: 100, shutdownGrace: shutdownGrace, requestsPerMinute: rateLimit,
                bodyMemory: bodyMemory, requestsPerKey: requestsPerKey),
            rates: rates, claims: claims,
            endpoints: EndpointTable(
                Endpoints(
                    root: RootRoute(mode: "single"),
                    health: HealthRoute(mode: "single", router: router, accountList: accountList),
                    chat: chat, messages: MessagesRoute(chat: chat, seals: seals),
                    responses: ResponsesRoute(
                        chat: chat, seals: seals, store: responses ?? ResponseStore(time: time),
                        makers: makers),
                    completions: CompletionsRoute(chat: chat), forward: ForwardRoute(chat: chat),
                    embeddings: EmbeddingsRoute(calls: texts), rerank: RerankRoute(calls: texts),
                    models: ModelsRoute(
                        directory: directory, discovery: discovery, accounts: router.upstreams.map(\.id),
                        created: 1_700_000_000),
                    testOCI: TestOCIRoute(upstreams: router.upstreams, accountList: accountList, time: time),
                    statistics: StatisticsRoute(
                        mode: "single", strategy: "round_robin", breaker: .init(), accountList: accountList,
                        router: router, directory: directory),
                    metrics: MetricsRoute(
                        router: router, accountList: accountList, process: ProcessFigures(startedAt: 1_700_000_000),
                        counters: counters, rates: rates),
                    admin: AdminRoute(
                        router: router, accountList: accountList, discovery: discovery, directory: directory, time: time
                    ),
                    reload: ReloadRoute { throw CancellationError() },
                    usage: UsageRoute(
                        rates: rates, requestsPerMinute: rateLimit, claims: claims,
                        isLedgerOn: ledger != nil, time: time),
                    keys: KeysRoute(fileKeys: keys, managed: managed, ledger: ledger, time: time),
                    ledger: LedgerRoute(
                        ledger: ledger, time: time, prices: LedgerPrices(prices, providers: ["up": "up"])),
                    why: WhyRoute(
                        running: running, recent: recent, ledger: ledger, upstreams: names, time: time),
                    window: WindowRoute(
                        feed: feed, accountList: accountList, router: router, directory: directory,
                        fallbacks: fallbacks, rescue: rescue, quirks: chat.quirks, prices: prices.table,
                        retirements: ModelRetirements(), keys: keys,
                        managed: managed, accounts: keyAccounts, earlier: EarlierUses(ledger)),
                    signIn: OperatorSignIn(keys: clientKeys, sessions: sessions, time: time))),
            prices: prices, recorder: ledger ?? recent, hasLedger: ledger != nil, running: running, upstreams: names,
            sessions: sessions,
            alerts: alerts,
            counters: counters, time: time, logger: logger)
    }
}

extension ClientKey {
    /// The operator's own.
    static let fixture: ClientKey = {
        var limits = KeyLimits()
        limits.role = .admin
        return ClientKey(name: "default", value: Secret(FrontDoor.key), limits: limits)
    }()
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

extension Router {
    /// A router over accounts `default`, `account_2`, …, all in front of `transport`. Without jitter.
    static func fixture(
        _ transport: any HTTPTransport = FakeTransport(status: 500, body: "{}"), time: TimeSource = ManualTime().source,
        accounts: Int = 1,
        settings: (Int) -> Upstream.Settings = { _ in Upstream.Settings() },
        limits: RoutingCore.Limits = .init(concurrency: 200, queue: 2000),
        strategy: any BalancingStrategy = RoundRobin(), logger: Logger = .silent, finds: RoutingFinds? = nil
    ) throws -> Router {
        Router(
            try (0..<accounts).map { index in
                var settings = settings(index)
                if settings.throttle == 0 { settings.throttle = index }
                return (
                    try OCIAccount.fixture(transport, time: time, id: index == 0 ? "default" : "account_\(index + 1)"),
                    settings
                )
            },
            limits: limits, strategy: strategy, time: time, random: { 0.5 }, logger: logger, finds: finds)
    }
}

extension ChatCompletionsRoute.Limits {
    static let fixture = ChatCompletionsRoute.Limits(
        request: .seconds(300), nonStreaming: .seconds(300), head: .zero, firstToken: .zero, idleTimeout: .seconds(300),
        keepAlive: .seconds(15), answer: 10 << 20,
        maxTokens: 4000, forcesNonStreaming: false)
}
