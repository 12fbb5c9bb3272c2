import ProxyAccounting
import ProxyTelemetry
import Testing

@testable import Proxy

@Suite struct AggregatorSettingsTests {
    typealias Fixture = AggregatorFixture

    @Test func `The defaults are those of the JSON format`() throws {
        let outcome = Fixture.read(Fixture.file())
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.mode == .aggregator)
        #expect(settings.server.host == "localhost")
        #expect(settings.server.port == 8080)
        #expect(
            settings.logging
                == {
                    var logging = LoggingSettings()
                    logging.level = .warning
                    logging.file = "/etc/proxy/ai_proxy.log"
                    return logging
                }())
        #expect(settings.connections == ConnectionSettings())
        #expect(settings.connections.limit == 100)
        #expect(settings.connections.keptAlive == 20)
        #expect(settings.connections.keepAliveExpiry == .seconds(30))
        #expect(settings.timeouts.stream == .seconds(300))
        #expect(settings.timeouts.nonStream == .seconds(30))
        #expect(settings.timeouts.wholeAnswer == .seconds(30))
        #expect(settings.timeouts.healthCheckInterval == .zero)
        #expect(settings.limits == LimitSettings())
        #expect(settings.limits.maxResponseSize == 10_485_760)
        #expect(settings.routing == RoutingSettings())
        #expect(settings.breaker == BreakerSettings())
        #expect(settings.supportedModels == ModelFilter())
        #expect(settings.accounts.isEmpty)
        #expect(settings.fallbacks.isEmpty)
        #expect(settings.successors.isEmpty)
        #expect(settings.alerts == AlertSettings())
        #expect(!settings.needsGeneratedKey)
        #expect(settings.clientKeys.map(\.name) == ["alice"])
        #expect(settings.clientKeys.map(\.value) == [Secret("TOKEN")])
        #expect(settings.clientKeys.map(\.limits.role) == [.admin])
    }

    @Test func `Every other default is that of INI`() {
        let inINI = Dictionary(
            uniqueKeysWithValues: (SettingsTable.global + SettingsTable.breaker).map { ($0.name, $0.standard) })
        for row in SettingsTable.aggregator {
            guard let standard = inINI[row.name] else { continue }
            #expect(row.standard == SettingsTable.aggregatorDefaults[row.name] ?? standard, "\(row.name)")
        }
        #expect(Set(SettingsTable.aggregatorDefaults.keys).isSubset(of: inINI.keys))
    }

    /// Every member that is one value, in the forms that people write, and the proof that it arrived.
    static let validValues: [(key: String, values: [String], arrived: @Sendable (Settings) -> Bool)] = [
        ("host", [#""0.0.0.0""#, #"" 0.0.0.0 ""#], { $0.server.host == "0.0.0.0" }),
        ("port", ["9000", #""9000""#, "9000.0", "9e3"], { $0.server.port == 9000 }),
        ("max_body_memory", [#""2 GiB""#, "2147483648"], { $0.limits.maxBodyMemory == 2 << 30 }),
        ("responses_store", ["false", #""off""#], { !$0.responses.isStored }),
        ("responses_ttl", [#""90m""#, "5400"], { $0.responses.timeToLive == .seconds(5400) }),
        ("responses_max", ["12"], { $0.responses.count == 12 }),
        ("rescue", [#""continue""#, #""CONTINUE""#], { $0.rescue.mode == .continue }),
        ("rescue_timeout", ["5", #""5s""#], { $0.rescue.timeout == .seconds(5) }),
        ("admin_listen", ["9090", #""9090""#], { $0.server.admin == .host("127.0.0.1", port: 9090) }),
        ("admin_listen", [#""unix:/run/x.sock""#], { $0.server.admin == .unix("/run/x.sock") }),
        ("state_dir", [#""off""#], { $0.ledger.directory == .off }),
        ("state_dir", [#""/var/lib/x""#], { $0.ledger.directory == .named("/var/lib/x") }),
        ("ledger_max_size", [#""1 GiB""#, "1073741824"], { $0.ledger.maxSize == 1 << 30 }),
        ("ledger_retention", [#""30d""#, #""720h""#, "2592000"], { $0.ledger.retention == .seconds(30 * 86_400) }),
        ("timezone", [#""Asia/Shanghai""#], { $0.ledger.timeZone == "Asia/Shanghai" }),
        ("prices_file", [#""key.pem""#], { $0.ledger.pricesFile == "/etc/proxy/key.pem" }),
        ("trace_parent", [#""ignore""#, #""IGNORE""#], { $0.server.traceParent == .ignore }),
        (
            "alert_webhook", [#""https://hooks.example/services/T1""#],
            { $0.alerts.webhook?.reveal() == "https://hooks.example/services/T1" }
        ),
        ("alert_command", [#""logger -t ociai""#], { $0.alerts.command == "logger -t ociai" }),
        (
            "shared_state", [#""redis://engine""#, #""redis://engine:6379/0""#],
            { $0.shared.address?.description == "redis://engine:6379" }
        ),
        ("cluster", [#""eu""#], { $0.shared.cluster == "eu" }),
        ("instances", ["3"], { $0.shared.instances == 3 }),
        ("max_concurrency_per_key", ["7"], { $0.limits.maxConcurrencyPerKey == 7 }),
        ("log_level", [#""DEBUG""#, #""debug""#], { $0.logging.level == .debug }),
        ("log_level", [#""CRITICAL""#, #""FATAL""#], { $0.logging.level == .critical }),
        ("log_level", [#""ERROR""#], { $0.logging.level == .error }),
        ("log_level", [#""INFO""#], { $0.logging.level == .info }),
        ("log_file", [#""stderr""#], { $0.logging.file == nil }),
        ("log_file", [#""logs/x.log""#], { $0.logging.file == "/etc/proxy/logs/x.log" }),
        ("log_format", [#""json""#], { $0.logging.format == .json }),
        ("force_non_stream", ["true", #""true""#, "1", #""on""#], { $0.routing.forceNonStream }),
        ("default_max_tokens", ["1"], { $0.limits.defaultMaxTokens == 1 }),
        ("global_max_concurrency", ["7", #""7""#], { $0.limits.globalMaxConcurrency == 7 }),
        ("queue_size", ["0"], { $0.limits.queueSize == 0 }),
        ("retry_attempts", ["9"], { $0.routing.retryAttempts == 9 }),
        ("load_balance_strategy", [#""least_connections""#], { $0.routing.strategy == .leastConnections }),
        ("health_check_interval", ["15", #""15s""#], { $0.timeouts.healthCheckInterval == .seconds(15) }),
        (
            "request_timeout", ["90", #""1m30s""#],
            { $0.timeouts.request == .seconds(90) && $0.timeouts.wholeAnswer == .seconds(90) }
        ),
        ("stream_timeout", ["0.5", #""500ms""#, "5e-1"], { $0.timeouts.stream == .milliseconds(500) }),
        ("shutdown_grace", ["0"], { $0.timeouts.shutdownGrace == .zero }),
        ("max_request_size", ["1024", #""1 KiB""#], { $0.limits.maxRequestSize == 1024 }),
        ("max_response_size", ["10485761"], { $0.limits.maxResponseSize == 10_485_761 }),
        ("keepalive_interval", ["5.0"], { $0.timeouts.keepAliveInterval == .seconds(5) }),
        ("head_timeout", ["10", #""10s""#], { $0.timeouts.head == .seconds(10) }),
        ("first_token_timeout", ["20"], { $0.timeouts.firstToken == .seconds(20) }),
        ("models_refresh_interval", [#""1h""#], { $0.timeouts.modelsRefreshInterval == .seconds(3600) }),
        (
            "cors_origins", [#"["https://A.example/", "app://x"]"#, #""https://a.example, app://x""#],
            { $0.server.corsOrigins == ["https://a.example", "app://x"] }
        ),
        ("local_access", ["false", "0", #""no""#], { !$0.server.localAccess }),
        ("tls_cert", [#""key.pem", "tls_key": "key.pem""#], { $0.server.tlsCertificate == "/etc/proxy/key.pem" }),
        ("tls_key", [#""key.pem", "tls_cert": "key.pem""#], { $0.server.tlsKey == "/etc/proxy/key.pem" }),
        ("ca_file", [#""key.pem""#], { $0.caFile == "/etc/proxy/key.pem" }),
        ("max_client_connections", ["1"], { $0.server.maxClientConnections == 1 }),
        ("rate_limit", ["60"], { $0.server.rateLimit == 60 }),
        ("max_failures", ["1"], { $0.breaker.maxFailures == 1 }),
        ("reset_timeout", ["1"], { $0.breaker.resetTimeout == .seconds(1) }),
        ("failure_rate", ["1", "1.0", #""1""#], { $0.breaker.failureRate == 1 }),
        ("min_requests", ["99"], { $0.breaker.minRequests == 99 }),
        (
            "max_connections", ["5", #""5""#],
            { $0.connections.limit == 5 && $0.providers.map(\.maxConcurrency) == [5] }
        ),
        ("max_keepalive_connections", ["0"], { $0.connections.keptAlive == 0 }),
        ("keepalive_expiry", ["5.5", #""5.5s""#], { $0.connections.keepAliveExpiry == .milliseconds(5500) }),
        ("keepalive_expiry", ["0"], { $0.connections.keepAliveExpiry == .zero }),
        (
            "non_stream_timeout", ["12", "12.0"],
            { $0.timeouts.nonStream == .seconds(12) && $0.timeouts.request == .seconds(300) }
        ),
        (
            "non_stream_timeout", [#"12, "request_timeout": 90"#],
            { $0.timeouts.wholeAnswer == .seconds(12) && $0.timeouts.request == .seconds(90) }
        ),
    ]

    @Test func `Every row of the table has a valid example`() {
        #expect(Set(Self.validValues.map(\.key)) == Set(SettingsTable.aggregator.map(\.name)))
    }

    @Test(arguments: validValues.indices)
    func `A valid value arrives`(index: Int) throws {
        let (key, values, arrived) = Self.validValues[index]
        for value in values {
            for member in [
                #""\#(key)": \#(value)"#, #""\#(key.uppercased())": \#(value),"#, #""global": {"\#(key)": \#(value)},"#,
                #""circuit_breaker": {"\#(key)": \#(value)}"#,
            ] {
                let outcome = Fixture.read(Fixture.file(member))
                #expect(outcome.errors.isEmpty, "\(member)")
                #expect(outcome.warnings.allSatisfy { $0.message.contains("has no effect") }, "\(member)")
                #expect(arrived(try #require(outcome.settings)), "\(member)")
            }
        }
    }

    @Test(arguments: ["null", #""""#, "[]"])
    func `An empty value leaves the default`(value: String) throws {
        let keys = value == "[]" ? ["cors_origins"] : SettingsTable.aggregator.map(\.name)
        let outcome = Fixture.read(Fixture.file(keys.map { "\"\($0)\": \(value)," }.joined()))
        #expect(outcome.issues.isEmpty)
        #expect(outcome.settings == Fixture.read(Fixture.file()).settings)
    }

    @Test(arguments: ["oci_accounts", "fallbacks", "successors", "supported_models"])
    func `An absent collection may be null`(key: String) {
        #expect(Fixture.read(Fixture.file(#""\#(key)": null"#)).issues.isEmpty)
    }

    @Test func `A provider is told of traces when its entry says so`() throws {
        let outcome = Fixture.read(
            Fixture.providers(
                #"{"provider": "a", "baseurl": "https://a.example", "token": "K", "propagate_trace": true}"#,
                #"{"provider": "b", "baseurl": "https://b.example", "token": "K"}"#))
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).providers.map(\.propagatesTrace) == [true, false])
    }

    @Test func `Successors are an object of texts`() throws {
        let outcome = Fixture.read(Fixture.file(#""successors": {"zhipu/a": "zhipu/b", "zhipu/b": "zhipu/c"}"#))
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).successors == ["zhipu/a": "zhipu/b", "zhipu/b": "zhipu/c"])
        #expect(Fixture.read(Fixture.file(#""successors": {}"#)) == Fixture.read(Fixture.file()))
    }

    @Test(arguments: [
        (
            #""successors": []"#,
            #"4: successors is an array; write it as {"provider/old-model": "provider/new-model"}"#
        ),
        (
            #""successors": {"zhipu/a": ["zhipu/b"]}"#,
            #"4: successors: zhipu/a is an array; write it as {"provider/old-model": "provider/new-model"}"#
        ),
        (#""successors": {"zhipu/a": ""}"#, "4: the successor of zhipu/a is not one model; write it as OLD = NEW"),
        (
            #""successors": {"zhipu/a": "zhipu/b, zhipu/c"}"#,
            "4: the successor of zhipu/a is not one model; write it as OLD = NEW"
        ),
        (
            #""successors": {"zhipu/a": "zhipu/a"}"#,
            "4: the successors of zhipu/a lead back to itself; let the last of them have no successor"
        ),
    ])
    func `A successor that is none is an error in its line`(member: String, issue: String) {
        let outcome = Fixture.read(Fixture.file(member))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.description).contains("c.conf:" + issue))
    }

    @Test func `The command line beats the file`() {
        let overrides = ConfigurationLoader.Overrides(host: "::1", port: 9)
        let settings = ConfigurationFixture.read(Fixture.file(#""port": 1"#), overrides: overrides).settings
        #expect(settings?.server.host == "::1")
        #expect(settings?.server.port == 9)
    }

    @Test func `Accounts stand beside providers`() throws {
        let accounts =
            "\"oci_accounts\": [\n\(Fixture.account()),\n\(Fixture.account(#""id": "Chicago", "weight": 3, "max_concurrency": "7", "enabled": false"#))]"
        let outcome = Fixture.read(Fixture.file(accounts))
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.mode == .aggregator)
        #expect(settings.usableAccounts.map(\.id) == ["account_1", "Chicago"])
        #expect(settings.usableAccounts.map(\.weight) == [1, 3])
        #expect(settings.usableAccounts.map(\.maxConcurrency) == [50, 7])
        #expect(settings.usableAccounts.map(\.isEnabled) == [true, false])
        #expect(settings.usableAccounts.map(\.line) == [5, 6])
        #expect(ConfigurationFixture.identity(of: settings)?.keyFile == "/etc/proxy/key.pem")
        #expect(ConfigurationFixture.identity(of: settings)?.fingerprintLine == 5)
    }

    @Test func `Accounts alone will do`() throws {
        let outcome = Fixture.read(#"{"tokens": ["a|T"], "oci_accounts": [\#(Fixture.account())]}"#)
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).usableAccounts.count == 1)
    }

    @Test func `One bad account leaves the rest alone`() throws {
        let outcome = Fixture.read(Fixture.file("\"oci_accounts\": [\n\(Fixture.account(#""weight": 0"#))\n]"))
        #expect(
            outcome.errors.map(\.description) == ["c.conf:5: weight: 0 is not valid; use a whole number from 1 to 1000"]
        )
        #expect(outcome.errors.map(\.account) == ["account_1"])
        let settings = try #require(outcome.settings)
        #expect(settings.providers.count == 1)
        #expect(settings.usableAccounts.isEmpty)
        #expect(settings.accounts.map(\.id) == ["account_1"])
    }

    @Test func `Line ends and byte order mark change nothing`() {
        let text =
            "// a comment\n"
            + Fixture.file(
                "# another\n\"port\": 1, /* and\n one */ \"supported_models\": [\"^zhipu/\",],\n\"prot\": 2,")
        let plain = Fixture.read(text)
        #expect(plain.settings != nil)
        #expect(plain.warnings.map(\.line) == [8])
        #expect(Fixture.read(text.replacing("\n", with: "\r\n")) == plain)
        #expect(Fixture.read("\u{FEFF}" + text) == plain)
    }
}
