package import ProxyAccounting
package import ProxyTelemetry

/// The whole configuration, typed and checked. The initial values are the defaults.
package struct Settings: Sendable, Equatable {
    package enum Mode: String, Sendable {
        case single
        case multiAccount = "multi-account"
        /// A JSON file, or an INI file with providers and no account.
        case aggregator
    }

    package var mode = Mode.single
    /// In file order, the unusable ones among them.
    package var accounts: [AccountEntry] = []
    package var clientKeys: [ClientKey] = []
    /// True while `api_key` is missing, empty or the placeholder: a key must be generated before clients can be let in.
    package var needsGeneratedKey = false
    /// The file says what some key may do: then the others are clients. Else those of `api_key`, or the first token, may do everything.
    package var namesRoles = false
    /// Those that may do everything since nobody has said what they may do.
    package var keysOfFullRight: [String] = []
    /// What the key may do that is made when `needsGeneratedKey`; its value comes then.
    package var generatedKey = ClientKey(name: "default", value: Secret(""))
    /// In file order.
    package var models: [ModelAlias] = []
    package var fallbacks: [FallbackChain] = []
    /// By the names of the models that will go, who takes over on the day.
    package var successors: [String: String] = [:]
    /// In file order.
    package var providers: [ProviderSettings] = []
    /// Which models of the providers are served.
    package var supportedModels = ModelFilter()

    package var server = ServerSettings()
    package var limits = LimitSettings()
    package var timeouts = TimeoutSettings()
    package var connections = ConnectionSettings()
    package var routing = RoutingSettings()
    package var breaker = BreakerSettings()
    package var logging = LoggingSettings()
    package var responses = ResponsesSettings()
    package var rescue = RescueSettings()
    package var ledger = LedgerSettings()
    package var alerts = AlertSettings()
    package var shared = SharedStateSettings()
    /// PEM file with further authorities to trust towards upstreams.
    package var caFile: String?

    package init() {}

    /// The accounts that may be used, in file order.
    package var usableAccounts: [AccountSettings] {
        accounts.compactMap { if case .usable(let account) = $0 { account } else { nil } }
    }
}

/// Where alerts go.
package struct AlertSettings: Sendable, Equatable {
    /// A URL that gets them by POST. Often with a token in it.
    package var webhook: Secret?
    /// For `/bin/sh -c`, with the alert on its standard input.
    package var command: String?
}

/// A key that a client may present, under the name that logs and statistics show.
package struct ClientKey: Sendable, Equatable {
    package var name: String
    package var value: Secret
    /// What it may do and use.
    package var limits: KeyLimits
    /// Those of `limits`, to be searched in names.
    package var models = ModelFilter()

    package init(name: String, value: Secret, limits: KeyLimits = KeyLimits()) {
        self.name = name
        self.value = value
        self.limits = limits
    }
}

extension Settings {
    /// Of a key of `api_key`, or of the first token, where nothing is said about it.
    package var standardRole: KeyRole { namesRoles ? .client : .admin }

    /// Tells that a key may do everything because nobody has said what it may do; nil where that is not so.
    package var fullRightSentence: String? {
        guard !keysOfFullRight.isEmpty else { return nil }
        let names = keysOfFullRight.joined(separator: ", ")
        let isOne = keysOfFullRight.count == 1
        return
            "The client \(isOne ? "key" : "keys") \(names) may also read statistics, reload and change keys, because the config file names no roles. "
            + "Give another key of the file the role admin, and \(isOne ? "this one becomes a client" : "these become clients"); a managed key with that role does not change it"
    }
}

/// A name that clients may use for a model.
package struct ModelAlias: Sendable, Equatable {
    /// As written in the file.
    package var name: String
    /// An OCI model id, a model's OCID, or the OCID of a dedicated endpoint.
    package var target: String
    package var line: Int

    /// The target is an endpoint (`ocid1.generativeaiendpoint...`), so the call uses DEDICATED serving.
    package var isDedicatedEndpoint: Bool { target.lowercased().hasPrefix("ocid1.generativeaiendpoint") }

    package init(name: String, target: String, line: Int) {
        self.name = name
        self.target = target
        self.line = line
    }
}

/// The models to try, in order, when `model` has failed everywhere. The alternatives' own chains are not followed, so two
/// models may stand in for each other.
package struct FallbackChain: Sendable, Equatable {
    package var model: String
    package var alternatives: [String]
    package var line: Int
}

/// The listener and who may talk to it.
package struct ServerSettings: Sendable, Equatable {
    /// A name or an IP literal, IPv6 without brackets.
    package var host = "127.0.0.1"
    /// 0...65535; 0 takes any free port.
    package var port = 8080
    /// Where the operator's endpoints are; nil is with the others.
    package var admin: AdminAddress?
    /// What becomes of a client's `traceparent`.
    package var traceParent = TraceParentMode.continue
    /// Each `*` or an origin such as `https://app.example`.
    package var corsOrigins = ["*"]
    /// The operator on this machine needs no key for the local endpoints.
    package var localAccess = true
    package var tlsCertificate: String?
    package var tlsKey: String?
    package var maxClientConnections = 10_000
    /// Requests a minute and key; 0 is no limit.
    package var rateLimit = 0

    package init() {}
}

/// Counts and sizes (bytes).
package struct LimitSettings: Sendable, Equatable {
    package var globalMaxConcurrency = 200
    package var queueSize = 2000
    package var maxRequestSize = 32 << 20
    package var maxResponseSize = 10 << 20
    package var defaultMaxTokens = 4000
    /// All request bodies and what becomes of them; nil is a share of the memory that there is.
    package var maxBodyMemory: Int?
    /// Requests of one client key, waiting ones included; 0 is no limit.
    package var maxConcurrencyPerKey = 0

    package init() {}
}

/// Zero turns a duration off where its comment says so.
package struct TimeoutSettings: Sendable, Equatable {
    /// From arrival to the end of a non-streaming answer or the first event of a streaming one.
    package var request = Duration.seconds(300)
    /// The longest silence inside a stream.
    package var stream = Duration.seconds(300)
    /// Drain time on SIGTERM; zero drains nothing.
    package var shutdownGrace = Duration.seconds(30)
    /// Silence after which the client is reassured; zero is never.
    package var keepAliveInterval = Duration.seconds(15)
    /// A streaming attempt without the head of an answer by then fails over; zero is never.
    package var head = Duration.zero
    /// A streaming attempt without an event by then fails over; zero is never.
    package var firstToken = Duration.zero
    /// Zero: no health checks.
    package var healthCheckInterval = Duration.seconds(30)
    /// The least time between two discoveries that clients start.
    package var modelsRefreshInterval = Duration.seconds(10)
    /// `non_stream_timeout` of the JSON format; nil leaves non-streaming answers to `request`.
    package var nonStream: Duration?

    package init() {}

    /// From arrival to the end of a non-streaming answer.
    package var wholeAnswer: Duration { nonStream ?? request }
}

/// Connections to providers.
package struct ConnectionSettings: Sendable, Equatable {
    /// At once to one entry of the providers; with one request each, so this is its concurrency.
    package var limit = 100
    /// That may stay open without a request; 0 keeps none.
    package var keptAlive = 20
    /// For so long; zero keeps none.
    package var keepAliveExpiry = Duration.seconds(30)

    package init() {}
}

/// What is kept of the Responses API, for requests that build on earlier ones.
package struct ResponsesSettings: Sendable, Equatable {
    package var isStored = true
    package var timeToLive = Duration.seconds(24 * 3600)
    package var count = 10_000

    package init() {}
}

/// How an upstream is picked, and how often again.
package struct RoutingSettings: Sendable, Equatable {
    package enum Strategy: String, Sendable, CaseIterable {
        case roundRobin = "round_robin"
        case weighted
        case leastConnections = "least_connections"
    }

    package var strategy = Strategy.roundRobin
    /// Further attempts after the first.
    package var retryAttempts = 3
    /// Call the upstream without streaming, whatever the client asked for.
    package var forceNonStream = false

    package init() {}
}

/// When an upstream's breaker opens and for how long.
package struct BreakerSettings: Sendable, Equatable {
    package var maxFailures = 5
    package var resetTimeout = Duration.seconds(60)
    /// More than 0, at most 1.
    package var failureRate = 0.6
    package var minRequests = 10

    package init() {}
}
