import ProxyAccounting
import ProxyTelemetry
import Testing

@testable import Proxy

@Suite struct SettingsReaderTests {
    typealias Fixture = ConfigurationFixture

    @Test func `The defaults of the table are those of the type`() {
        var settings = Settings()
        for row in SettingsTable.global + SettingsTable.breaker {
            guard let standard = row.standard else { continue }
            #expect(row.apply(standard, 1, &settings), "\(row.name)")
        }
        #expect(settings.logging.file == "stderr")
        settings.logging.file = nil
        #expect(settings == Settings())
    }

    @Test func `A key in place of its file name is not shown`() {
        let identity = Fixture.identity().replacing(
            "key_file = key.pem", with: #"key_file = "-----BEGIN PRIVATE KEY-----\nMIIE""#)
        #expect(identity.contains("MIIE"))
        let errors = Fixture.read(identity + "api_key = k1\n").errors
        #expect(errors.map(\.message) == ["key_file contains PEM text instead of the name of a file"])
        #expect(!errors.contains { "\($0)".contains("MIIE") })
    }

    @Test func `Reads a single account with its defaults`() throws {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k1\n")
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        let account = try #require(settings.usableAccounts.first)
        #expect(settings.mode == .single)
        #expect(account.id == "default")
        #expect(account.compartment == "ocid1.tenancy.oc1..t")
        #expect(account.region == "us-chicago-1")
        #expect(account.endpoint.description == "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com")
        #expect(account.managementEndpoint.description == "https://generativeai.us-chicago-1.oci.oraclecloud.com")
        #expect(account.maxConcurrency == 200)
        #expect(account.isEnabled)
        let identity = try #require(Fixture.identity(of: settings))
        #expect(identity.user == "ocid1.user.oc1..u")
        #expect(identity.fingerprint == Fixture.fingerprint)
        #expect(identity.keyFile == "/etc/proxy/key.pem")
        #expect(identity.passPhrase == nil)
        #expect([identity.keyFileLine, identity.fingerprintLine, identity.passPhraseLine] == [3, 2, nil])
        #expect(settings.server == ServerSettings())
        #expect(settings.limits == LimitSettings())
        #expect(settings.timeouts == TimeoutSettings())
        #expect(settings.routing == RoutingSettings())
        #expect(settings.breaker == BreakerSettings())
        #expect(settings.logging == LoggingSettings())
        #expect(settings.clientKeys.map(\.name) == ["default"])
        #expect(settings.clientKeys.map(\.value) == [Secret("k1")])
        #expect(settings.clientKeys.map(\.limits.role) == [.admin])
        #expect(!settings.needsGeneratedKey)
    }

    /// Each key of [GLOBAL] and [CIRCUIT_BREAKER] with a value that is not its default, and the proof that it arrived.
    static let validValues: [(section: String, key: String, value: String, arrived: @Sendable (Settings) -> Bool)] = [
        ("GLOBAL", "host", "[::1]", { $0.server.host == "::1" }),
        ("GLOBAL", "port", "0", { $0.server.port == 0 }),
        ("GLOBAL", "admin_listen", "[::1]:9090", { $0.server.admin == .host("::1", port: 9090) }),
        ("GLOBAL", "log_level", "WARN", { $0.logging.level == .warning }),
        ("GLOBAL", "log_file", "proxy.log", { $0.logging.file == "/etc/proxy/proxy.log" }),
        ("GLOBAL", "log_format", "JSON", { $0.logging.format == .json }),
        ("GLOBAL", "force_non_stream", "Yes", { $0.routing.forceNonStream }),
        ("GLOBAL", "default_max_tokens", "1", { $0.limits.defaultMaxTokens == 1 }),
        ("GLOBAL", "global_max_concurrency", "7", { $0.limits.globalMaxConcurrency == 7 }),
        ("GLOBAL", "queue_size", "0", { $0.limits.queueSize == 0 }),
        ("GLOBAL", "retry_attempts", "0", { $0.routing.retryAttempts == 0 }),
        ("GLOBAL", "load_balance_strategy", "least_connections", { $0.routing.strategy == .leastConnections }),
        ("GLOBAL", "health_check_interval", "0", { $0.timeouts.healthCheckInterval == .zero }),
        ("GLOBAL", "request_timeout", "1m30s", { $0.timeouts.request == .seconds(90) }),
        ("GLOBAL", "stream_timeout", "500ms", { $0.timeouts.stream == .milliseconds(500) }),
        ("GLOBAL", "shutdown_grace", "0s", { $0.timeouts.shutdownGrace == .zero }),
        ("GLOBAL", "max_request_size", "10MB", { $0.limits.maxRequestSize == 10_000_000 }),
        ("GLOBAL", "max_response_size", "1024", { $0.limits.maxResponseSize == 1024 }),
        ("GLOBAL", "max_body_memory", "2 GiB", { $0.limits.maxBodyMemory == 2 << 30 }),
        ("GLOBAL", "keepalive_interval", "5", { $0.timeouts.keepAliveInterval == .seconds(5) }),
        ("GLOBAL", "head_timeout", "10s", { $0.timeouts.head == .seconds(10) }),
        ("GLOBAL", "first_token_timeout", "20s", { $0.timeouts.firstToken == .seconds(20) }),
        ("GLOBAL", "models_refresh_interval", "1h", { $0.timeouts.modelsRefreshInterval == .seconds(3600) }),
        (
            "GLOBAL", "cors_origins", "https://A.example/, app://x",
            { $0.server.corsOrigins == ["https://a.example", "app://x"] }
        ),
        ("GLOBAL", "local_access", "off", { !$0.server.localAccess }),
        ("GLOBAL", "tls_cert", "key.pem", { $0.server.tlsCertificate == "/etc/proxy/key.pem" }),
        ("GLOBAL", "tls_key", "/etc/proxy/key.pem", { $0.server.tlsKey == "/etc/proxy/key.pem" }),
        ("GLOBAL", "ca_file", "key.pem", { $0.caFile == "/etc/proxy/key.pem" }),
        ("GLOBAL", "max_client_connections", "1", { $0.server.maxClientConnections == 1 }),
        ("GLOBAL", "rate_limit", "60", { $0.server.rateLimit == 60 }),
        ("GLOBAL", "responses_store", "off", { !$0.responses.isStored }),
        ("GLOBAL", "responses_ttl", "90m", { $0.responses.timeToLive == .seconds(5400) }),
        ("GLOBAL", "responses_max", "12", { $0.responses.count == 12 }),
        ("GLOBAL", "rescue", "Continue", { $0.rescue.mode == .continue }),
        ("GLOBAL", "rescue_timeout", "5s", { $0.rescue.timeout == .seconds(5) }),
        ("GLOBAL", "state_dir", "data", { $0.ledger.directory == .named("/etc/proxy/data") }),
        ("GLOBAL", "ledger_retention", "30d", { $0.ledger.retention == .seconds(30 * 86_400) }),
        ("GLOBAL", "ledger_max_size", "500 MB", { $0.ledger.maxSize == 500_000_000 }),
        ("GLOBAL", "timezone", "Europe/Berlin", { $0.ledger.timeZone == "Europe/Berlin" }),
        ("GLOBAL", "prices_file", "key.pem", { $0.ledger.pricesFile == "/etc/proxy/key.pem" }),
        ("GLOBAL", "trace_parent", "Link", { $0.server.traceParent == .link }),
        (
            "GLOBAL", "alert_webhook", "https://hooks.example/services/T1?token=a%20b",
            { $0.alerts.webhook?.reveal() == "https://hooks.example/services/T1?token=a%20b" }
        ),
        ("GLOBAL", "alert_command", "logger -t ociai", { $0.alerts.command == "logger -t ociai" }),
        (
            "GLOBAL", "shared_state", "rediss://app:secret@engine/3",
            { $0.shared.address?.description == "rediss://engine:6379/3" }
        ),
        ("GLOBAL", "cluster", "eu-1", { $0.shared.cluster == "eu-1" }),
        ("GLOBAL", "instances", "3", { $0.shared.instances == 3 }),
        ("GLOBAL", "max_concurrency_per_key", "7", { $0.limits.maxConcurrencyPerKey == 7 }),
        ("CIRCUIT_BREAKER", "max_failures", "1", { $0.breaker.maxFailures == 1 }),
        ("CIRCUIT_BREAKER", "reset_timeout", "1s", { $0.breaker.resetTimeout == .seconds(1) }),
        ("CIRCUIT_BREAKER", "failure_rate", "1", { $0.breaker.failureRate == 1 }),
        ("CIRCUIT_BREAKER", "min_requests", "99", { $0.breaker.minRequests == 99 }),
    ]

    @Test func `Every row of the table has a valid example`() {
        #expect(Self.validValues.map(\.key) == (SettingsTable.global + SettingsTable.breaker).map(\.name))
    }

    @Test(arguments: validValues.indices)
    func `A valid value arrives`(index: Int) throws {
        let (section, key, value, arrived) = Self.validValues[index]
        // The certificate and its key come together.
        let companion = ["tls_cert": "tls_key = key.pem\n", "tls_key": "tls_cert = key.pem\n"][key] ?? ""
        let entry = "\(key.uppercased()) = \(value)\n" + companion
        var texts = [Fixture.identity() + "api_key = k\n[\(section.lowercased())]\n" + entry]
        if section == "GLOBAL" {
            texts.append(Fixture.identity() + "api_key = k\n" + entry)
            texts.append("[DEFAULT]\n" + Fixture.identity() + "api_key = k\n" + entry)
        }
        for text in texts {
            let outcome = Fixture.read(text)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.warnings.isEmpty)
            #expect(arrived(try #require(outcome.settings)))
        }
    }

    @Test(arguments: [
        ("host", ["a b", "1.2.3", "localhost:80"]),
        ("port", ["-1", "65536", "http", "8080.0", "+1", "99999999999999999999"]),
        ("log_level", ["loud"]), ("log_format", ["xml"]),
        ("force_non_stream", ["maybe", "2"]), ("local_access", ["ja"]),
        ("default_max_tokens", ["0", "-5", "4k"]), ("global_max_concurrency", ["0", "100001"]),
        ("queue_size", ["-1"]), ("retry_attempts", ["101", "x"]), ("load_balance_strategy", ["random"]),
        ("health_check_interval", ["-1s", "10 days", "1us"]), ("request_timeout", ["0", "5 m", "169h"]),
        ("stream_timeout", ["0s", "abc"]), ("shutdown_grace", ["-1"]),
        ("max_request_size", ["0", "2 GiB", "10 apples"]),
        ("max_response_size", ["-1", "MiB"]), ("keepalive_interval", ["often"]), ("first_token_timeout", ["x"]),
        ("head_timeout", ["-1s", "soon"]),
        ("models_refresh_interval", ["1y"]), ("cors_origins", ["example.com", "https://a/b", ","]),
        ("max_client_connections", ["0"]), ("rate_limit", ["-1"]), ("max_concurrency_per_key", ["-1"]),
        ("cluster", ["a b", "{a}"]),
        ("instances", ["0", "1001"]),
        ("responses_store", ["maybe"]), ("responses_ttl", ["0", "1y"]), ("responses_max", ["0"]),
        ("trace_parent", ["off", "true"]), ("rescue", ["maybe", "true"]), ("rescue_timeout", ["0"]),
        ("max_body_memory", ["1 MiB", "much", "2000 GiB"]),
        ("tls_cert", ["absent.pem"]), ("tls_key", ["absent.pem"]), ("ca_file", ["absent.pem"]),
    ])
    func `An invalid value is an error in its line`(key: String, values: [String]) {
        for value in values {
            let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[GLOBAL]\n\n\(key) = \(value)\n")
            #expect(outcome.settings == nil)
            #expect(outcome.errors.first?.location == "c.conf:9", "\(key) = \(value)")
            #expect(outcome.errors.first?.message.hasPrefix("\(key) = \(value)") == true)
            #expect(outcome.errors.first?.fix.isEmpty == false)
        }
    }

    /// A webhook's path and query often are a secret.
    @Test(arguments: [
        "hunter2", "ftp://hunter2.example/", "https://user:hunter2@hooks.example/",
        "https://hooks.example/hunter2#part", "https://hooks.example/a hunter2",
    ])
    func `A webhook that is none is an error without its text`(value: String) {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\nalert_webhook = \"\(value)\"\n")
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [7])
        #expect(outcome.errors.allSatisfy { !$0.description.contains("hunter2") })
    }

    @Test func `A command may have 4096 bytes`() {
        func errors(_ count: Int) -> [ConfigurationIssue] {
            Fixture.read(Fixture.identity() + "api_key = k\nalert_command = " + "x".repeated(count) + "\n").errors
        }
        #expect(errors(4096).isEmpty)
        #expect(errors(4097).map(\.line) == [7])
    }

    @Test func `Successors are read by the names of the models that go`() throws {
        let outcome = Fixture.read(
            Fixture.identity() + "api_key = k\n[SUCCESSORS]\ngrok-3 = grok-4\ngrok-4 = xai.grok-5\ngrok-2 = grok-4\n")
        #expect(outcome.issues.isEmpty)
        #expect(
            try #require(outcome.settings).successors == [
                "grok-3": "grok-4", "grok-4": "xai.grok-5", "grok-2": "grok-4",
            ])
    }

    @Test(arguments: ["a =", "a = b, c", "a = ,"])
    func `A successor is one model`(line: String) {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[SUCCESSORS]\n\(line)\n")
        #expect(outcome.settings == nil)
        #expect(
            outcome.errors.map(\.description) == [
                "c.conf:8: the successor of a is not one model; write it as OLD = NEW"
            ])
    }

    @Test(arguments: ["a = a", "a = b\nb = a", "a = b\nb = c\nc = a"])
    func `Successors in a circle are an error`(lines: String) {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[SUCCESSORS]\n\(lines)\n")
        #expect(outcome.settings == nil)
        #expect(
            outcome.errors.map(\.description) == [
                "c.conf:8: the successors of a lead back to itself; let the last of them have no successor"
            ])
    }

    @Test(arguments: ["* = grok-4", "grok-3 = *"])
    func `Whatever is asked for has no successor`(line: String) {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[SUCCESSORS]\n\(line)\n")
        #expect(outcome.settings == nil)
        #expect(outcome.errors.first?.description.hasSuffix("[MODELS] * = NAME takes any unknown one") == true)
    }

    @Test(arguments: [(8, 0), (9, 1), (12, 4)])
    func `More than eight successors in a row are warned of`(count: Int, warnings: Int) {
        let lines = (0..<count).map { "m\($0) = m\($0 + 1)\n" }.joined()
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[SUCCESSORS]\n\(lines)")
        #expect(outcome.settings?.successors.count == count)
        let told = outcome.issues.map(\.description).filter { $0.contains("successors in a row") }
        #expect(told.count == warnings && told.allSatisfy { $0.contains("more than 8") })
        #expect(told.isEmpty || told[0].hasPrefix("c.conf:8: "))
    }

    @Test(arguments: [
        ("max_failures", "0"), ("reset_timeout", "0"), ("failure_rate", "0"), ("failure_rate", "1.1"),
        ("failure_rate", "nan"), ("failure_rate", "60%"), ("min_requests", "-1"),
    ])
    func `An invalid breaker is an error`(key: String, value: String) {
        let outcome = Fixture.read(Fixture.identity() + "[CIRCUIT_BREAKER]\n\(key) = \(value)\n")
        #expect(outcome.errors.map(\.location) == ["c.conf:7"])
    }

    @Test(arguments: ["user", "fingerprint", "key_file", "tenancy", "region"])
    func `A missing or empty required key is named`(key: String) {
        let missing = Fixture.read(Fixture.identity(replacing: key)).errors
        #expect(missing.map(\.message) == ["\(key) is missing in the root"])
        #expect(missing.first?.fix.hasPrefix("add \(key) = ") == true)
        #expect(missing.first?.line == 1)

        let lines = ["user": 1, "fingerprint": 2, "key_file": 3, "tenancy": 4, "region": 5]
        let empty = Fixture.read(Fixture.identity(replacing: key, with: "")).errors
        #expect(empty.map(\.message) == ["\(key) in the root is empty"])
        #expect(empty.first?.line == lines[key])

        let emptied = Fixture.read(Fixture.identity() + "\(key) =\n").errors
        #expect(emptied.map(\.message) == ["\(key) in the root is empty"])
    }

    @Test(arguments: [
        ("user", "a b"), ("user", "ocid1.user/x"), ("fingerprint", "00:11"), ("fingerprint", "gg" + ":11".repeated(15)),
        ("fingerprint", "00-" + ConfigurationFixture.fingerprint), ("tenancy", "\"a,b\""), ("region", "us_chicago_1"),
        ("region", "evil.example/"), ("key_file", "nowhere.pem"), ("key_file", "~/absent.pem"),
    ])
    func `An invalid identity is an error in its line`(key: String, value: String) {
        let lines = ["user": 1, "fingerprint": 2, "key_file": 3, "tenancy": 4, "region": 5]
        let outcome = Fixture.read(Fixture.identity(replacing: key, with: value))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [lines[key]])
    }

    @Test(arguments: [
        ("compartment = a b", 6), ("endpoint = example.com", 6), ("endpoint = https://u:p@h", 6),
        ("management_endpoint = x", 6), ("auth = magic", 6), ("profile = a b", 6),
    ])
    func `An invalid optional identity key is an error`(line: String, number: Int) {
        let outcome = Fixture.read(Fixture.identity() + line)
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [number])
    }

    @Test func `A fingerprint in upper case is accepted`() throws {
        let outcome = Fixture.read(Fixture.identity(replacing: "fingerprint", with: Fixture.fingerprint.uppercased()))
        let settings = try #require(outcome.settings)
        #expect(Fixture.identity(of: settings)?.fingerprint == Fixture.fingerprint)
    }

    @Test func `The key file message names where it looked`() {
        let error = Fixture.read(Fixture.identity(replacing: "key_file", with: "k/x.pem")).errors.first
        #expect(error?.message.contains("/etc/proxy/k/x.pem and /srv/proxy/k/x.pem") == true)
    }

    @Test func `Endpoints compartment and passphrase are taken`() throws {
        let settings = try #require(
            Fixture.read(
                Fixture.identity(replacing: "region", with: "ord")
                    + """
                    compartment = ocid1.compartment.oc1..c
                    endpoint = http://127.0.0.1:9000/20231130/
                    pass_phrase = "a # b"
                    """
            ).settings)
        let account = try #require(settings.usableAccounts.first)
        #expect(account.region == "us-chicago-1")
        #expect(account.compartment == "ocid1.compartment.oc1..c")
        #expect(account.endpoint.description == "http://127.0.0.1:9000")
        #expect(account.managementEndpoint == account.endpoint)
        #expect(Fixture.identity(of: settings)?.passPhrase?.reveal() == "a # b")
        #expect(Fixture.identity(of: settings)?.passPhraseLine == 8)
    }

    @Test(arguments: [
        (ConfigurationFixture.identity(replacing: "user", with: "me"), 1, "does not look like the OCID"),
        (
            ConfigurationFixture.identity(replacing: "tenancy", with: "ocid1.user.oc1..x"), 4,
            "does not look like the OCID"
        ),
        (ConfigurationFixture.identity() + "compartment = x\n", 6, "does not look like the OCID"),
        (ConfigurationFixture.identity(replacing: "region", with: "us-chicaog-1"), 5, "is unknown"),
        (ConfigurationFixture.identity() + "endpoint = http://example.com\n", 6, "unencrypted"),
        (ConfigurationFixture.identity() + "prot = 1\n", 6, "unknown key prot"),
        (ConfigurationFixture.identity() + "max_failures = 1\n", 6, "has no effect in the root"),
        (ConfigurationFixture.identity() + "[GLOBAL]\napi_key = x\n", 7, "has no effect in [GLOBAL]"),
        (ConfigurationFixture.identity() + "[GLOABL]\n", 6, "unknown section [GLOABL]"),
        (ConfigurationFixture.identity() + "[ACCOUNT]\n", 6, "unknown section [ACCOUNT]"),
        (ConfigurationFixture.identity() + "port = 1\n[GLOBAL]\nPORT = 2\n", 8, "this line overrides line 6"),
        (ConfigurationFixture.identity() + "bearer_key = x\n", 6, "no effect with auth = api_key"),
        (ConfigurationFixture.identity() + "api_key = a, a\n", 6, "is the same as"),
    ])
    func `Is a warning and the file stays usable`(text: String, line: Int, part: String) {
        let outcome = Fixture.read(text)
        #expect(outcome.settings != nil)
        #expect(outcome.warnings.count == 1)
        #expect(outcome.warnings.first?.line == line)
        #expect(outcome.warnings.first?.message.contains(part) == true)
    }

    @Test(arguments: [
        ("prot = 1", "did you mean port?"), ("regoin = x", "did you mean region?"),
        ("[MODELLS]", "did you mean [MODELS]?"),
        ("[ACCOUNT]", "did you mean [ACCOUNT_n]?"), ("zzzzzzzzzz = 1", "remove it"),
    ])
    func `An unknown name comes with the nearest`(line: String, fix: String) {
        #expect(Fixture.read(Fixture.identity() + line).warnings.map(\.fix) == [fix])
    }

    @Test func `A duplicate key takes the last line`() {
        let outcome = Fixture.read(Fixture.identity() + "port = 99999\nport = 2\n")
        #expect(outcome.errors.isEmpty)
        #expect(outcome.settings?.server.port == 2)
    }

    @Test func `All errors come in file order and the exit line counts them`() {
        let outcome = Fixture.read(
            "nonsense\nport = x\n\(Fixture.identity(replacing: "user", with: "a b"))[MODELS]\nm = a b\n")
        #expect(outcome.errors.map(\.line) == [1, 2, 3, 9])
        let error = ConfigurationError(outcome.issues)
        #expect(error?.description.hasPrefix("c.conf:1: the line is neither") == true)
        #expect(error?.description.hasSuffix("(and 3 more errors: -check lists all)") == true)
        #expect(ConfigurationError([]) == nil)
    }

    @Test(arguments: ["tls_cert", "tls_key"])
    func `A certificate without its key is an error`(key: String) {
        let outcome = Fixture.read(Fixture.identity() + "\(key) = key.pem\n")
        #expect(outcome.errors.map(\.line) == [6])
        #expect(outcome.errors.first?.message.contains("is set without") == true)
    }

    @Test func `An API key needs no files`() {
        let settings = Fixture.read(
            "auth = bearer\nbearer_key = sk-b\nregion = us-chicago-1\ncompartment = ocid1.compartment.oc1..c\n"
        ).settings
        #expect(settings?.usableAccounts.map(\.credentials) == [.bearer(Secret("sk-b"))])
    }

    /// It stands in a header.
    @Test(arguments: ["a b", "sk-é"])
    func `An API key is visible ASCII`(key: String) {
        let outcome = Fixture.read(
            "auth = bearer\nbearer_key = \"\(key)\"\nregion = us-chicago-1\ncompartment = ocid1.compartment.oc1..c\n")
        #expect(outcome.errors.map(\.location) == ["c.conf:2"])
        #expect(outcome.errors.first?.message.contains(key) == false)
    }

    @Test(arguments: [("security_token", "security_token_file"), ("bearer", "bearer_key")])
    func `Every kind of authentication has its required keys`(kind: String, key: String) {
        let errors = Fixture.read("auth = \(kind)\n" + Fixture.identity()).errors
        #expect(errors.contains { $0.message == "\(key) is missing in the root, which auth = \(kind) needs" })
    }

    @Test func `The command line beats the file`() {
        let overrides = ConfigurationLoader.Overrides(host: "0.0.0.0", port: 9)
        let settings = Fixture.read(Fixture.identity() + "host = ::1\nport = 1\n", overrides: overrides).settings
        #expect(settings?.server.host == "0.0.0.0")
        #expect(settings?.server.port == 9)
    }

    @Test func `An empty file says everything that is missing`() {
        #expect(Fixture.read("").errors.count == 5)
    }

    @Test func `Line ends and byte order mark change nothing`() {
        let text = Fixture.identity() + "api_key = 'k' # comment\n[MODELS]\na = b.c\n"
        let plain = Fixture.read(text)
        #expect(plain.settings != nil)
        #expect(Fixture.read(text.replacing("\n", with: "\r\n")) == plain)
        #expect(Fixture.read("\u{FEFF}" + text) == plain)
    }

    @Test func `No issue shows a secret`() {
        let text = """
            api_key = hunter2, hunter2, hun ter2
            pass_phrase = hunter2
            bearer_key = hunter2
            alert_webhook = hunter2
            hunter2
            [API_KEYS]
            a = hunter2 hunter2
            b = hunter2
            [PROVIDER_1]
            token = hunter2
            """
        for issue in Fixture.read(text).issues {
            #expect(!issue.description.contains("hunter2"))
        }
    }
}

extension String {
    fileprivate func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}
