import Testing

@testable import Proxy

@Suite struct ProvidersTests {
    typealias Fixture = AggregatorFixture

    @Test func `Reads both forms mixed`() throws {
        let outcome = Fixture.read(
            Fixture.providers(
                #"{"provider": "zhipu", "baseurl": "https://open.example/api/paas/v4/", "token": "K1", "model_list": ["glm-4", " glm-4.5 ", "glm-4"]}"#,
                #""openrouter|https://Router.example/api/v1/|K2|x""#,
                #"{"provider": " 302.AI ", "baseurl": "http://127.0.0.1:1234", "model_list": []}"#,
                #"" ollama | http://localhost:11434/v1/chat/completions |""#,
                #""bare|https://bare.example""#,
                #"{"Provider": "yi", "BaseURL": "https://yi.example//", "token": 12345, "model_list": "a/b, c"}"#))
        #expect(outcome.issues.isEmpty)
        let providers = try #require(outcome.settings).providers
        #expect(providers.map(\.id) == ["zhipu", "openrouter", "302.AI", "ollama", "bare", "yi"])
        #expect(providers.map(\.name) == providers.map(\.id))
        #expect(
            providers.map(\.baseURL.description) == [
                "https://open.example/api/paas/v4", "https://router.example/api/v1", "http://127.0.0.1:1234",
                "http://localhost:11434/v1",
                "https://bare.example", "https://yi.example",
            ])
        #expect(providers.map { $0.token?.reveal() } == ["K1", "K2|x", nil, nil, nil, "12345"])
        #expect(providers.map(\.models) == [["glm-4", "glm-4.5"], nil, nil, nil, nil, ["a/b", "c"]])
        #expect(providers.map(\.line) == [2, 3, 4, 5, 6, 7])
        #expect(providers.allSatisfy { $0.maxConcurrency == 100 })
    }

    @Test(arguments: [
        (["a", "b"], ["a", "b"]), (["a", "a"], ["a-1", "a-2"]), (["a", "b", "a", "a"], ["a-1", "b", "a-2", "a-3"]),
        (["a", "a-1", "a"], ["a-2", "a-1", "a-3"]), (["a", "A-1", "a"], ["a-2", "A-1", "a-3"]),
        (["a", "a", "a-1", "a-1"], ["a-2", "a-3", "a-1-1", "a-1-2"]),
    ])
    func `Entries of one name are a pool with unique IDs`(names: [String], ids: [String]) throws {
        let url = try #require(BaseURL("https://a.example"))
        var providers = names.map { ProviderSettings(id: "", name: $0, baseURL: url) }
        ProviderSettings.assignIDs(&providers)
        #expect(providers.map(\.id) == ids)
    }

    @Test func `A pool is no mistake`() throws {
        let outcome = Fixture.read(Fixture.providers(#""a|https://a.example|K1""#, #""a|https://a.example|K2""#))
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).providers.map(\.id) == ["a-1", "a-2"])
    }

    @Test(arguments: [
        (
            #"["alice|T1", " bob | T2 ", "T3", "|T4", 5]"#,
            ["alice=T1", "bob=T2", "token-3=T3", "token-4=T4", "token-5=5"]
        ),
        (#"["a|b|c", "x|y,z"]"#, ["a=b|c", "x=y,z"]), (#"["ä ö|T\n"]"#, ["ä ö=T"]),
    ])
    func `Reads tokens`(list: String, keys: [String]) throws {
        let outcome = Fixture.read(#"{"providers": ["a|https://a.example|K"], "tokens": \#(list)}"#)
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).clientKeys.map { "\($0.name)=\($0.value.reveal())" } == keys)
    }

    @Test(arguments: [
        ("[]", "zhipu/glm-4", true), (#"["glm"]"#, "zhipu/glm-4", true), (#"["^glm"]"#, "zhipu/glm-4", false),
        (#"["^zhipu/glm-\\d$"]"#, "zhipu/glm-4", true),
        (#"["^zhipu/glm-\\d$"]"#, "zhipu/glm-45", false), (#"["(?i)GLM"]"#, "zhipu/glm-4", true),
        (#"["GLM"]"#, "zhipu/glm-4", false),
        (#"["x", "zhipu/"]"#, "zhipu/glm-4", true), (#""zhipu""#, "zhipu/glm-4", true), (#"["a,b"]"#, "z/a,b", true),
        (#"[4]"#, "zhipu/glm-4", true),
        (#"["^zhipu/(?!.*vision)"]"#, "zhipu/glm-4", true), (#"["^zhipu/(?!.*vision)"]"#, "zhipu/glm-vision", false),
    ])
    func `Supported models are searched in the whole name`(list: String, model: String, isServed: Bool) throws {
        let outcome = Fixture.read(Fixture.file(#""supported_models": \#(list)"#))
        #expect(outcome.issues.isEmpty)
        #expect(try #require(outcome.settings).supportedModels.admits(model) == isServed)
    }

    @Test func `Reads fallbacks`() throws {
        let outcome = Fixture.read(
            Fixture.file(
                """
                "fallbacks": {
                "zhipu/a": ["zhipu/b", "zhipu/c/d"],
                "zhipu/b": "zhipu/a",
                "zhipu/c": "zhipu/a, zhipu/b"
                }
                """))
        // a and b stand in for each other: chains are not followed, so that is no circle.
        #expect(outcome.issues.isEmpty)
        let fallbacks = try #require(outcome.settings).fallbacks
        #expect(fallbacks.map(\.model) == ["zhipu/a", "zhipu/b", "zhipu/c"])
        #expect(fallbacks.map(\.alternatives) == [["zhipu/b", "zhipu/c/d"], ["zhipu/a"], ["zhipu/a", "zhipu/b"]])
        #expect(fallbacks.map(\.line) == [5, 6, 7])
    }

    @Test func `Fallbacks may name models of the accounts`() {
        let text = #""oci_accounts": [\#(Fixture.account())], "fallbacks": {"zhipu/a": ["oci/grok-4"]}"#
        #expect(Fixture.read(Fixture.file(text)).issues.isEmpty)
    }
}

@Suite struct ProvidersInINITests {
    typealias Fixture = ConfigurationFixture

    static func provider(_ number: Int, _ lines: String...) -> String {
        "[PROVIDER_\(number)]\n" + lines.map { $0 + "\n" }.joined()
    }
    static let plain = provider(
        1, "provider = zhipu", "baseurl = https://api.example/v4/", "token = t", "model_list = x, y")

    @Test(arguments: [
        (ConfigurationFixture.identity() + plain, Settings.Mode.single),
        ("[ACCOUNT_1]\n" + ConfigurationFixture.identity() + plain, .multiAccount),
        (plain, .aggregator), ("port = 1\n[GLOBAL]\n" + plain, .aggregator),
    ])
    func `Providers stand beside accounts or alone`(text: String, mode: Settings.Mode) throws {
        let outcome = Fixture.read("api_key = k\n" + text)
        #expect(outcome.errors.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.mode == mode)
        #expect(settings.accounts.count == (mode == .aggregator ? 0 : 1))
        #expect(settings.providers.map(\.id) == ["zhipu"])
        #expect(settings.providers.first?.baseURL.description == "https://api.example/v4")
        #expect(settings.providers.first?.maxConcurrency == 100)
        // The defaults stay those of INI.
        #expect(settings.timeouts == TimeoutSettings())
        #expect(settings.timeouts.wholeAnswer == .seconds(300))
        #expect(settings.logging == LoggingSettings())
    }

    @Test func `One key of an identity at the root asks for the others`() {
        let outcome = Fixture.read("region = us-chicago-1\n" + Self.plain)
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.message).contains("user is missing in the root"))
    }

    @Test func `The flag still asks for accounts`() {
        let outcome = Fixture.read(Self.plain, overrides: .init(multiAccount: true))
        #expect(outcome.errors.map(\.message) == ["-multi-account is given, but the file has no [ACCOUNT_n] section"])
    }

    @Test(arguments: [
        (
            provider(1, "provider = a"), 1, "baseurl is missing in [PROVIDER_1]",
            "add baseurl = https://host/v1 to [PROVIDER_1]"
        ),
        (
            provider(1, "provider =", "baseurl = https://a"), 2, "provider in [PROVIDER_1] is empty",
            "write provider = NAME"
        ),
        (
            provider(1, "provider = a/b", "baseurl = https://a"), 2, "provider = a/b is not valid",
            "use a name of at most 64 bytes without / or control characters"
        ),
        (
            provider(1, "provider = a", "baseurl = a.example"), 3, "the value of baseurl is not valid",
            "use an absolute http or https URL such as https://host/v1, without user, query or fragment"
        ),
        (
            provider(1, "provider = a", "baseurl = https://a", "token = a b"), 4, "the value of token is not valid",
            "use visible ASCII characters without spaces"
        ),
    ])
    func `A wrong provider is an error`(text: String, line: Int, message: String, fix: String) {
        let errors = Fixture.read(text).errors
        #expect(errors.map(\.line) == [line])
        #expect(errors.map(\.message) == [message])
        #expect(errors.map(\.fix) == [fix])
    }

    @Test func `An ID that an account has is an error`() {
        let text = "[ACCOUNT_1]\nid = Zhipu\n" + Fixture.identity() + Self.plain
        #expect(
            Fixture.read(text).errors.map(\.description) == [
                "c.conf:9: zhipu is the id of both an account and a provider; rename one of the two"
            ])
    }

    @Test(arguments: [
        ("a = a", 0, "a is a fallback of itself, which is ignored"),
        ("a = b, A, c", 2, "a is a fallback of itself, which is ignored"),
        ("a = b, c, B", 2, "a fallback of a is named twice, which is ignored"), ("a = b/c, d", 2, nil),
    ])
    func `What cannot stand in is left out`(line: String, count: Int, warning: String?) throws {
        let outcome = Fixture.read(Fixture.identity() + "api_key = k\n[FALLBACKS]\n\(line)\n")
        #expect(outcome.errors.isEmpty)
        #expect(try #require(outcome.settings).fallbacks.first?.alternatives.count ?? 0 == count)
        #expect(outcome.warnings.filter { $0.line == 8 }.map(\.message) == (warning.map { [$0] } ?? []))
    }
}
