import Testing

@testable import ProxyImport

@Suite struct LiteLLMSettingsTests {
    private func result(_ settings: String) throws -> ImportResult {
        try ImportFixture.litellm(
            "model_list:\n  - {model_name: a, litellm_params: {model: groq/a}}\n  - {model_name: b, litellm_params: {model: groq/b}}\n  - {model_name: c, litellm_params: {model: mistral/c}}\n"
                + settings)
    }

    @Test(
        arguments: [
            ("router_settings: {num_retries: 2}", "retry_attempts = 2"),
            ("litellm_settings: {num_retries: 4}", "retry_attempts = 4"),
            ("router_settings: {timeout: 30}", "request_timeout = 30s"),
            ("router_settings: {timeout: 0.5}", "request_timeout = 500ms"),
            ("litellm_settings: {request_timeout: 600}", "request_timeout = 600s"),
            ("router_settings: {stream_timeout: 45}", "stream_timeout = 45s"),
            ("router_settings: {routing_strategy: least-busy}", "load_balance_strategy = least_connections"),
            ("router_settings: {routing_strategy: latency-based-routing}", "load_balance_strategy = least_connections"),
            ("general_settings: {global_max_parallel_requests: 90}", "global_max_concurrency = 90"),
            ("general_settings: {max_parallel_requests: 5}", "max_concurrency_per_key = 5"),
            ("general_settings: {max_request_size_mb: 8}", "max_request_size = 8MB"),
            ("general_settings: {health_check_interval: 120}", "health_check_interval = 120s"),
            ("general_settings: {maximum_spend_logs_retention_period: 30d}", "ledger_retention = 30d"),
            ("litellm_settings: {json_logs: yes}", "log_format = json"),
            ("litellm_settings: {set_verbose: True}", "log_level = debug"),
        ])
    func `Settings go where the proxy has them`(settings: String, line: String) throws {
        #expect(try result(settings).section("GLOBAL") == [line])
    }

    @Test func `Failures that are allowed are one less than those that open a breaker`() throws {
        let result = try result("router_settings: {allowed_fails: 3, cooldown_time: 30}")
        #expect(result.section("CIRCUIT_BREAKER") == ["max_failures = 4", "reset_timeout = 30s"])
    }

    @Test(arguments: [
        "router_settings: {num_retries: many}", "router_settings: {num_retries: -1}", "router_settings: {timeout: 0}",
        "router_settings: {timeout: [1]}", "router_settings: {allowed_fails: {a: 1}}",
        "router_settings: {cooldown_time: 9999999}",
        "general_settings: {max_request_size_mb: 0}", "general_settings: {global_max_parallel_requests: 1.5}",
        "litellm_settings: {json_logs: 7}", "router_settings: {routing_strategy: cost-based-routing}",
    ])
    func `Values of the wrong kind are dropped with what would be right`(settings: String) throws {
        let result = try result(settings)
        #expect(result.section("GLOBAL").isEmpty)
        #expect(result.section("CIRCUIT_BREAKER").isEmpty)
        let row = try #require(result.report.rows.last { $0.fate == .dropped })
        #expect(!row.text.contains("unknown"))
    }

    @Test func `The router's setting comes before the other, which is told`() throws {
        let result = try result(
            "litellm_settings: {request_timeout: 5, num_retries: 1}\nrouter_settings: {timeout: 7, num_retries: 2}")
        #expect(result.section("GLOBAL").sorted() == ["request_timeout = 7s", "retry_attempts = 2"])
        #expect(result.fates("litellm_settings.request_timeout") == [.dropped])
        #expect(result.fates("litellm_settings.num_retries") == [.dropped])
    }

    @Test(
        arguments: [
            ("master_key: os.environ/KEY", "api_key = ${KEY}", KeyFate.taken),
            ("master_key: sk-literal-literal", "api_key = ${LITELLM_MASTER_KEY}", .changed),
            ("master_key: ${KEY}", "api_key = ${KEY}", .taken),
            ("master_key:", "api_key = auto_generated_key", .dropped),
            ("master_key: [1]", "api_key = auto_generated_key", .dropped),
        ])
    func `The master key is the clients' key`(setting: String, line: String, fate: KeyFate) throws {
        let result = try result("general_settings:\n  \(setting)\n")
        #expect(result.section("").contains(line))
        #expect(result.fates("general_settings.master_key") == [fate])
    }

    @Test(
        arguments: [
            ("router_settings: {fallbacks: [{a: [b, c]}]}", ["a = b, c"]),
            ("litellm_settings: {fallbacks: [{a: [b]}, {b: [c]}]}", ["a = b", "b = c"]),
            ("litellm_settings: {fallbacks: [{a: [b]}], context_window_fallbacks: [{a: [c]}]}", ["a = b, c"]),
            ("litellm_settings: {fallbacks: [{a: [b]}]}\nrouter_settings: {fallbacks: [{a: [c]}]}", ["a = c, b"]),
            ("litellm_settings: {default_fallbacks: [c]}", ["a = c", "b = c"]),
            ("litellm_settings: {fallbacks: [{a: [b]}, {\"*\": [c]}]}", ["a = b", "b = c"]),
            ("litellm_settings: {fallbacks: [{a: [a, gone]}, {gone: [a]}]}", []),
            ("litellm_settings: {fallbacks: [{a: b}]}", ["a = b"]),
            ("litellm_settings: {fallbacks: {a: [b]}}", ["a = b"]),
            ("litellm_settings: {fallbacks: [text, [1], {a: [{model: b}, [x]]}]}", ["a = b"]),
            ("litellm_settings: {content_policy_fallbacks: [{a: [b]}]}", []),
            (
                "router_settings: {model_group_alias: {z: a}, fallbacks: [{a: [b]}]}", ["a = b", "z = b"]
            ),
        ])
    func `Fallbacks are those that are there`(settings: String, lines: [String]) throws {
        #expect(try result(settings).section("FALLBACKS") == lines)
    }

    @Test func `Aliases stand for what their model stands for`() throws {
        let result = try result("router_settings: {model_group_alias: {x: a, y: {model: c, hidden: true}, z: gone}}")
        #expect(result.section("MODELS").suffix(2) == ["x = groq/a", "y = mistral/c"])
        #expect(result.fates("router_settings.model_group_alias.z") == [.dropped])
        #expect(result.fates("router_settings.model_group_alias.y.hidden") == [.dropped])
    }

    @Test func `Variables of the file are written out, but for secrets`() throws {
        let result = try ImportFixture.litellm(
            """
            model_list:
              - model_name: m
                litellm_params: {model: openai/m, api_base: os.environ/BASE, api_key: os.environ/KEY}
            environment_variables: {BASE: "https://h.example/v1", KEY: sk-secret-in-the-file, LIST: [1]}
            """)
        #expect(result.section("PROVIDER_1").contains("baseurl = https://h.example/v1"))
        #expect(result.section("PROVIDER_1").contains("token = ${KEY}"))
        #expect(result.report.steps.contains { $0.contains("KEY") && $0.contains("line 4") })
        #expect(result.fates("environment_variables.LIST") == [.dropped])
    }

    @Test func `A credential that no model needs is told`() throws {
        let result = try result(
            "credential_list: [{credential_name: x, credential_values: {api_key: sk-secret-of-mine}}]")
        #expect(result.fates("credential_list[0].credential_values.api_key") == [.dropped])
        #expect(!result.text("credential_list[0].credential_values.api_key").contains("unknown"))
    }

    @Test(arguments: [
        ("- region: x\n", "oci-gateway"), ("text\n", "model_list"), ("a: 1\n", "model_list"), ("[]\n", "oci-gateway"),
    ])
    func `Another file is told as such`(text: String, hint: String) throws {
        let failure = try #require(throws: ImportFailure.self) { _ = try ImportFixture.litellm(text) }
        #expect("\(failure.message) \(failure.fix)".contains(hint))
    }

    @Test func `A file without a model that can be asked has no configuration and says why`() throws {
        let result = try ImportFixture.litellm("model_list: []\ngeneral_settings: {master_key: sk-1}\n")
        #expect(result.configuration == nil)
        #expect(result.report.rows.count == 3)
    }
}
