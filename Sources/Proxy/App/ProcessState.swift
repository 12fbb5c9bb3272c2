import Logging
import ProxyAccounting
import ProxyRouting
import ProxyTelemetry

/// What lives as long as the process, whatever the configuration of the moment says.
struct ProcessState: Sendable {
    let transports: TransportCache
    /// Of the environment.
    let proxies: ProxyRules
    let router: Router
    /// What upstreams have taught about models.
    let quirks: ModelQuirks
    /// What answers have said of models that will go.
    let retirements = ModelRetirements()
    let counters = RequestCounters()
    /// How far the end has come.
    let drain = Drain()
    let notifier: ServiceNotifier
    let rates: RequestRates
    /// What keys have used.
    let accounts: KeyAccounts
    /// The keys that administrators have made.
    let managedKeys: ManagedKeys
    /// Where requests are written down; nil is nowhere.
    let ledger: (any Ledger)?
    /// The last requests that have ended.
    let recent: RecentEntries
    let earlierUses: EarlierUses
    /// Those that have not.
    let running = RunningRequests()
    let alerts: Alerts
    /// Nil where the environment asks for no traces.
    let tracing: Tracing?
    let readings = ConfigurationReadings()
    /// Operators who have signed in.
    let sessions = OperatorSessions()
    /// Who works out its costs anew.
    let repricing = LedgerRoute.Turn()
    let claims = RequestClaims()
    let paces = (testOCI: RoundPace(), refresh: RoundPace())
    /// What clients have had kept of their responses.
    let responses: ResponseStore
    /// Where the others are kept.
    let makers = ResponseMakers()
    /// Of clients whose keys are not in the configuration.
    let seals = UnnamedSeals()
    let rescues = RescueCounters()
    let certificate = ListenerCertificate()
    /// How this instance stands with others.
    let cluster = ClusterStatus()
    /// What it has in common with them; nil where there are none.
    let sharing: Sharing?
    /// Seconds since 1970.
    let startedAt: Int64
    let time: TimeSource
    /// Where the log goes, which each configuration may move; nil when the logger is somebody else's.
    let output: LogOutput?
    let logger: Logger
    /// Files and sockets that may be open at once.
    let descriptors: Int
    /// Nil where nobody asks for it.
    let identity: OwnIdentity?

    init(
        transports: TransportCache, proxies: ProxyRules, notifier: ServiceNotifier, time: TimeSource,
        output: LogOutput?, logger: Logger, descriptors: Int, ledger: (any Ledger)? = nil,
        identity: OwnIdentity? = nil, telemetry: TelemetrySettings? = nil, sharing: Sharing? = nil
    ) {
        self.identity = identity
        self.ledger = ledger
        recent = ledger?.recent ?? RecentEntries()
        earlierUses = EarlierUses(ledger)
        quirks = ModelQuirks(wallClock: time.wallClock)
        self.sharing = sharing
        accounts = KeyAccounts(shared: sharing?.meters)
        rates = RequestRates(shared: sharing?.meters)
        managedKeys = ManagedKeys(accounts: accounts, news: sharing?.keys)
        self.transports = transports
        alerts = Alerts(time: time, logger: logger)
        self.proxies = proxies
        self.notifier = notifier
        self.time = time
        self.output = output
        self.logger = logger
        self.descriptors = descriptors
        startedAt = time.wallClock()
        responses = ResponseStore(time: time)
        // Each configuration, the first as well, comes in by `reconfigure`.
        let router = Router(
            [], limits: .init(concurrency: 1, queue: 0), strategy: RoundRobin(), time: time, logger: logger,
            finds: sharing?.finds)
        self.router = router
        tracing = telemetry.flatMap { settings in
            SpanExporter(settings, .init(over: transports, proxies, time: time, logger: logger)).map { exporter in
                Tracing(exporter, settings) { id in
                    router.upstreams.first { $0.id == id }.map { Tracing.Upstream($0.backend) }
                }
            }
        }
    }

    /// Where requests that have ended go.
    var recorder: any EntryRecorder { ledger ?? recent }

    /// Of all upstreams that there have been, by their place.
    var upstreamNames: UpstreamNames { UpstreamNames { [router] in router.upstreams.map(\.id) } }
}
