import ProxyAccounting

/// Every key of the configuration, one row each: name, what it may be, default, and where it goes.
enum SettingsTable {
    /// `[GLOBAL]`, or the root.
    static let global: [SettingKey<Settings>] = [
        SettingKey("host", .listenAddress, standard: "127.0.0.1", \.server.host),
        SettingKey("port", .number(0...65535), standard: "8080", \.server.port),
        SettingKey("admin_listen", .adminAddress, \.server.admin),
        SettingKey("log_level", .level, standard: "info", \.logging.level),
        SettingKey("log_file", .path, standard: "stderr", \.logging.file),
        SettingKey("log_format", .choice, standard: "text", \.logging.format),

        SettingKey("force_non_stream", .boolean, standard: "false", \.routing.forceNonStream),
        SettingKey("default_max_tokens", .number(1...10_000_000), standard: "4000", \.limits.defaultMaxTokens),

        SettingKey("global_max_concurrency", .number(1...100_000), standard: "200", \.limits.globalMaxConcurrency),
        SettingKey("queue_size", .number(0...1_000_000), standard: "2000", \.limits.queueSize),
        SettingKey("retry_attempts", .number(0...100), standard: "3", \.routing.retryAttempts),
        SettingKey("load_balance_strategy", .choice, standard: "round_robin", \.routing.strategy),
        SettingKey("health_check_interval", .durationOrOff, standard: "30s", \.timeouts.healthCheckInterval),
        SettingKey("request_timeout", .duration, standard: "300s", \.timeouts.request),
        SettingKey("stream_timeout", .duration, standard: "300s", \.timeouts.stream),
        SettingKey("shutdown_grace", .durationOrOff, standard: "30s", \.timeouts.shutdownGrace),
        SettingKey("max_request_size", .size, standard: "32 MiB", \.limits.maxRequestSize),
        SettingKey("max_response_size", .size, standard: "10 MiB", \.limits.maxResponseSize),
        SettingKey("max_body_memory", .memory, \.limits.maxBodyMemory),
        SettingKey("keepalive_interval", .durationOrOff, standard: "15s", \.timeouts.keepAliveInterval),
        SettingKey("head_timeout", .durationOrOff, standard: "0", \.timeouts.head),
        SettingKey("first_token_timeout", .durationOrOff, standard: "0", \.timeouts.firstToken),
        SettingKey("models_refresh_interval", .durationOrOff, standard: "10s", \.timeouts.modelsRefreshInterval),
        SettingKey("cors_origins", .origins, standard: "*", \.server.corsOrigins),
        SettingKey("local_access", .boolean, standard: "true", \.server.localAccess),
        SettingKey("tls_cert", .path, \.server.tlsCertificate),
        SettingKey("tls_key", .path, \.server.tlsKey),
        SettingKey("ca_file", .path, \.caFile),
        SettingKey("max_client_connections", .number(1...1_000_000), standard: "10000", \.server.maxClientConnections),
        SettingKey("rate_limit", .number(0...1_000_000), standard: "0", \.server.rateLimit),
        SettingKey("responses_store", .boolean, standard: "true", \.responses.isStored),
        SettingKey("responses_ttl", .duration, standard: "24h", \.responses.timeToLive),
        SettingKey("responses_max", .number(1...1_000_000), standard: "10000", \.responses.count),
        SettingKey("rescue", .choice, standard: "verified", \.rescue.mode),
        SettingKey("rescue_timeout", .duration, standard: "20s", \.rescue.timeout),
        SettingKey("state_dir", .stateDirectory, \.ledger.directory),
        SettingKey("ledger_retention", .days, standard: "90d", \.ledger.retention),
        SettingKey("ledger_max_size", .memory, standard: "4 GiB", \.ledger.maxSize),
        SettingKey("timezone", .timeZone, standard: "UTC", \.ledger.timeZone),
        SettingKey("prices_file", .path, \.ledger.pricesFile),
        SettingKey("trace_parent", .choice, standard: "continue", \.server.traceParent),
        SettingKey("alert_webhook", .webhook, secret: true, \.alerts.webhook),
        SettingKey("alert_command", .command, \.alerts.command),
        SettingKey("shared_state", .sharedState, secret: true, \.shared.address),
        SettingKey("cluster", .clusterName, standard: "default", \.shared.cluster),
        SettingKey("instances", .number(1...1000), standard: "1", \.shared.instances),
        SettingKey("max_concurrency_per_key", .number(0...1_000_000), standard: "0", \.limits.maxConcurrencyPerKey),
    ]

    /// `[CIRCUIT_BREAKER]`.
    static let breaker: [SettingKey<Settings>] = [
        SettingKey("max_failures", .number(1...1_000_000), standard: "5", \.breaker.maxFailures),
        SettingKey("reset_timeout", .duration, standard: "60s", \.breaker.resetTimeout),
        SettingKey("failure_rate", .share, standard: "0.6", \.breaker.failureRate),
        SettingKey("min_requests", .number(1...1_000_000), standard: "10", \.breaker.minRequests),
    ]

    /// Connections to providers; in the JSON format only.
    static let connections: [SettingKey<Settings>] = [
        SettingKey("max_connections", .number(1...100_000), standard: "100", \.connections.limit),
        SettingKey("max_keepalive_connections", .number(0...100_000), standard: "20", \.connections.keptAlive),
        SettingKey("keepalive_expiry", .durationOrOff, standard: "30s", \.connections.keepAliveExpiry),
    ]

    /// Where the JSON format has other defaults than `[GLOBAL]`. Its users know these from before; a provider's
    /// `GET /models` may cost them something, so nobody asks it unasked.
    static let aggregatorDefaults = [
        "host": "localhost", "log_level": "warning", "log_file": "ai_proxy.log", "health_check_interval": "0",
    ]

    /// The members of a JSON file that are one value each.
    static let aggregator: [SettingKey<Settings>] =
        (global + breaker).map { row in aggregatorDefaults[row.name].map { SettingKey(row, standard: $0) } ?? row }
        + connections
        + [SettingKey("non_stream_timeout", .duration, standard: "30s", \.timeouts.nonStream)]

    /// `[ACCOUNT_n]`, or the root when the file has a single account.
    static let identity: [SettingKey<AccountDraft>] = [
        SettingKey("user", .identifier, \.user),
        SettingKey("fingerprint", .fingerprint, \.fingerprint),
        SettingKey("key_file", .path, \.keyFile),
        SettingKey("tenancy", .identifier, \.tenancy),
        SettingKey("region", .region, \.region),
        SettingKey("pass_phrase", .secret, secret: true, \.passPhrase),
        SettingKey("compartment", .identifier, \.compartment),
        SettingKey("endpoint", .url, \.endpoint),
        SettingKey("management_endpoint", .url, \.managementEndpoint),
        SettingKey("auth", .choice, standard: "api_key", \.auth),
        SettingKey("security_token_file", .path, \.securityTokenFile),
        SettingKey("bearer_key", .secret, secret: true, \.bearerKey),
        SettingKey("profile", .name, \.profile),
        SettingKey("project", .identifier, \.project),
    ]

    /// `[ACCOUNT_n]` only.
    static let account: [SettingKey<AccountDraft>] =
        identity + [
            SettingKey("id", .name, \.id),
            SettingKey("weight", .number(1...1000), standard: "1", \.weight),
            SettingKey("max_concurrency", .number(1...100_000), standard: "50", \.maxConcurrency),
            SettingKey("enabled", .boolean, standard: "true", \.isEnabled),
        ]

    /// `[PROVIDER_n]`, or an entry of `providers`.
    static let provider: [SettingKey<ProviderDraft>] = [
        SettingKey("provider", .providerName, \.name),
        SettingKey("baseurl", .providerURL, \.baseURL),
        SettingKey("token", .headerSecret, secret: true, \.token),
        SettingKey("model_list", .list, \.models),
        SettingKey("dialects", .dialects, \.dialects),
        SettingKey("rescue", .choice, \.rescue),
        SettingKey("propagate_trace", .boolean, standard: "false", \.propagatesTrace),
    ]

    /// `[KEY NAME]`, or a member of `keys`.
    static let key: [SettingKey<KeyDraft>] = [
        SettingKey("role", .choice, \.role),
        SettingKey("expires", .moment, \.limits.expires),
        SettingKey("models", .list, \.models),
        SettingKey("rpm", .number(1...1_000_000), \.limits.requestsPerMinute),
        SettingKey("tpm", .number(1...1_000_000_000), \.limits.tokensPerMinute),
        SettingKey("max_concurrency", .number(1...1_000_000), \.limits.maxConcurrency),
        SettingKey("budget_hard", .budgets, \.limits.hardBudgets),
        SettingKey("budget_soft", .budgets, \.limits.softBudgets),
    ]
    /// Stands before the name of a key in the name of its section.
    static let keyPrefix = "key "

    /// What other programs call the keys of a provider. `api_key` above all is no client key there.
    static let providerSynonyms = [
        "name": "provider", "id": "provider", "url": "baseurl", "base_url": "baseurl", "api_base": "baseurl",
        "endpoint": "baseurl",
        "key": "token", "api_key": "token", "apikey": "token", "models": "model_list",
    ]

    /// The root only; read apart, since its value is also written.
    static let clientKey = "api_key"

    /// The sections as a message names them. Those with `n` occur as often as wanted, with any suffix.
    static let sections = [
        "DEFAULT", "GLOBAL", "CIRCUIT_BREAKER", "ACCOUNT_n", "MODELS", "API_KEYS", "KEY NAME", "FALLBACKS",
        "SUCCESSORS", "RESCUE",
        "PRICES",
        "PROVIDER_n",
    ]

    /// Where a key may stand, for the message about one that stands elsewhere; empty for an unknown key.
    static func places(of name: String, in format: ConfigurationFile.Format) -> [String] {
        var places: [String] = []
        if format == .json {
            if name == clientKey || name == "api_keys" {
                places.append("\(JSONConfiguration.tokens), as \"description|TOKEN\"")
            }
            if aggregator.contains(where: { $0.name == name }) || JSONConfiguration.collections.contains(name) {
                places.append("the top-level object")
            }
            if account.contains(where: { $0.name == name }) { places.append(JSONConfiguration.accounts) }
            if provider.contains(where: { $0.name == name }) { places.append(JSONConfiguration.providers) }
            if key.contains(where: { $0.name == name }) { places.append("an entry of \(JSONConfiguration.keys)") }
            return places
        }
        if name == clientKey { places.append("the root (before the first section)") }
        if global.contains(where: { $0.name == name }) { places.append("[GLOBAL]") }
        if breaker.contains(where: { $0.name == name }) { places.append("[CIRCUIT_BREAKER]") }
        if account.contains(where: { $0.name == name }) { places.append("[ACCOUNT_n]") }
        if provider.contains(where: { $0.name == name }) { places.append("[PROVIDER_n]") }
        if key.contains(where: { $0.name == name }) { places.append("[KEY NAME]") }
        return places
    }
}

/// What is read of an account before it is known to be complete.
struct AccountDraft: Sendable {
    var id: Located<String>?
    var user: Located<String>?
    var fingerprint: Located<String>?
    var keyFile: Located<String>?
    var tenancy: Located<String>?
    var region: Located<String>?
    var passPhrase: Located<Secret>?
    var compartment: Located<String>?
    var endpoint: Located<BaseURL>?
    var managementEndpoint: Located<BaseURL>?
    var auth: Located<AuthKind>?
    var securityTokenFile: Located<String>?
    var bearerKey: Located<Secret>?
    var profile: Located<String>?
    var project: Located<String>?
    var weight = 1
    var maxConcurrency: Int?
    var isEnabled = true
}

/// What is read of a provider before it is known to be complete.
struct ProviderDraft: Sendable {
    var name: Located<String>?
    var baseURL: Located<BaseURL>?
    var token: Secret?
    var models: [String]?
    var dialects: Set<ProviderDialect>?
    var rescue: RescueMode?
    var propagatesTrace = false
}
