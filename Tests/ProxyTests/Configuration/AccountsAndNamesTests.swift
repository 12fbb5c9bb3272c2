import Testing

@testable import Proxy

@Suite struct AccountsTests {
    typealias Fixture = ConfigurationFixture

    /// Each account is a header and five lines.
    static func account(_ name: String, _ more: String = "") -> String { "[\(name)]\n" + Fixture.identity() + more }

    @Test func `Reads several accounts without the flag`() throws {
        let outcome = Fixture.read(
            "api_key = k\n" + Self.account("ACCOUNT_1", "id = Chicago\nweight = 3\nmax_concurrency = 7\nenabled = no\n")
                + Self.account("Account_EU"))
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.mode == .multiAccount)
        let accounts = settings.usableAccounts
        #expect(accounts.map(\.id) == ["Chicago", "account_eu"])
        #expect(accounts.map(\.weight) == [3, 1])
        #expect(accounts.map(\.maxConcurrency) == [7, 50])
        #expect(accounts.map(\.isEnabled) == [false, true])
        #expect(accounts.map(\.line) == [2, 12])
    }

    @Test(arguments: [
        ("weight = 0", 8), ("weight = 1001", 8), ("max_concurrency = 0", 8), ("enabled = perhaps", 8), ("id = a/b", 8),
        ("auth = nonsense", 8), ("user =", 8), ("key_file = gone.pem", 8),
    ])
    func `One bad account leaves the others alone`(line: String, number: Int) throws {
        let outcome = Fixture.read("api_key = k\n" + Self.account("ACCOUNT_1", line + "\n") + Self.account("ACCOUNT_2"))
        #expect(outcome.errors.first?.line == number)
        #expect(outcome.errors.allSatisfy { $0.account == "account_1" })
        let settings = try #require(outcome.settings)
        #expect(settings.usableAccounts.map(\.id) == ["account_2"])
        guard case .unusable(let id, let header, let errors) = settings.accounts[0] else {
            Issue.record("the first account is usable")
            return
        }
        #expect(id == "account_1")
        #expect(header == 2)
        #expect(errors == outcome.errors)
    }

    @Test func `A missing key names the section and its line`() {
        let errors = Fixture.read("\n[ACCOUNT_1]\n" + Fixture.identity(replacing: "tenancy")).errors
        #expect(
            errors.map(\.description) == [
                "c.conf:2: tenancy is missing in [ACCOUNT_1]; add tenancy = ocid1.tenancy.oc1.. to [ACCOUNT_1]"
            ])
    }

    @Test func `With no account left the file is unusable`() {
        let outcome = Fixture.read(Self.account("ACCOUNT_1", "weight = 0\n"))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.count == 1)
    }

    @Test(arguments: [
        (account("ACCOUNT_1") + account("ACCOUNT_1"), 7),
        (account("ACCOUNT_1") + account("ACCOUNT_2", "id = ACCOUNT_1\n"), 13),
        (account("ACCOUNT_1", "id = x\n") + account("ACCOUNT_2", "id = X\n"), 14),
    ])
    func `A duplicate ID is an error of the second`(text: String, line: Int) {
        let outcome = Fixture.read(text)
        #expect(outcome.errors.map(\.line) == [line])
        #expect(outcome.errors.first?.message.contains("already used in line") == true)
        #expect(outcome.settings?.usableAccounts.count == 1)
    }

    @Test func `The flag on a file without accounts says what is missing`() {
        let outcome = Fixture.read(Fixture.identity(), overrides: .init(multiAccount: true))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.message) == ["-multi-account is given, but the file has no [ACCOUNT_n] section"])
        #expect(outcome.errors.first?.fix.contains("add [ACCOUNT_1]") == true)
    }

    @Test func `An identity at the root beside accounts is a warning`() {
        let outcome = Fixture.read("region = us-chicago-1\nport = 1\n" + Self.account("ACCOUNT_1"))
        #expect(outcome.settings?.server.port == 1)
        #expect(outcome.warnings.map(\.line) == [1])
    }

    @Test func `No enabled account is a warning`() {
        let outcome = Fixture.read(Self.account("ACCOUNT_1", "enabled = 0\n"))
        #expect(outcome.warnings.map(\.message) == ["no account is enabled"])
    }

    @Test func `A global error makes the file unusable`() {
        #expect(Fixture.read("port = x\n" + Self.account("ACCOUNT_1")).settings == nil)
    }
}

@Suite struct NamedSettingsTests {
    typealias Fixture = ConfigurationFixture

    @Test(arguments: [
        ("", [], true), ("api_key =\n", [], true), ("api_key = \"\"\n", [], true), ("api_key = ,\n", [], true),
        ("api_key = auto_generated_key\n", [], true), ("api_key = \"AUTO_GENERATED_KEY\"\n", [], true),
        ("api_key = a\n", ["default=a"], false),
        ("api_key = a, b ,, c\n", ["default=a", "default-2=b", "default-3=c"], false),
        ("api_key = auto_generated_key, a\n", ["default=a"], true),
        ("api_key = a\n[API_KEYS]\nAlice = b\n", ["default=a", "Alice=b"], false),
        ("[API_KEYS]\nAlice = b\n", ["Alice=b"], true),
        ("[DEFAULT]\napi_key = a\n", ["default=a"], false),
    ])
    func `Reads client keys`(text: String, keys: [String], generates: Bool) throws {
        let settings = try #require(Fixture.read(Fixture.identity() + text).settings)
        #expect(settings.clientKeys.map { "\($0.name)=\($0.value.reveal())" } == keys)
        #expect(settings.needsGeneratedKey == generates)
    }

    @Test(arguments: [
        ("api_key = a b\n", 6), ("api_key = ä\n", 6), ("[API_KEYS]\nx =\n", 7), ("[API_KEYS]\nx = a,b\n", 7),
        ("[API_KEYS]\nx = auto_generated_key\n", 7),
    ])
    func `An unusable client key is an error`(text: String, line: Int) {
        #expect(Fixture.read(Fixture.identity() + text).errors.map(\.line) == [line])
    }

    @Test func `Reads model aliases in file order`() throws {
        let text = """
            [MODELS]
            Grok = xai.grok-4
            llama = meta.llama-3.3-70b-instruct
            tuned = ocid1.generativeaiendpoint.oc1.us-chicago-1.abc
            byid = ocid1.generativeaimodel.oc1..abc
            """
        let models = try #require(Fixture.read(Fixture.identity() + text).settings).models
        #expect(models.map(\.name) == ["Grok", "llama", "tuned", "byid"])
        #expect(models.map(\.line) == [7, 8, 9, 10])
        #expect(models.map(\.isDedicatedEndpoint) == [false, false, true, false])
    }

    @Test(arguments: ["m =", "m = a b", "m = \"a,b\"", "m = ä"])
    func `An alias of no model is an error`(line: String) {
        #expect(Fixture.read(Fixture.identity() + "[MODELS]\n\(line)\n").errors.map(\.line) == [7])
    }

    @Test func `A duplicate alias takes the last`() throws {
        let outcome = Fixture.read(Fixture.identity() + "[MODELS]\na = x.y\nA = z.w\n")
        #expect(try #require(outcome.settings).models.map(\.target) == ["z.w"])
        #expect(outcome.warnings.map(\.line) == [8])
    }

    @Test func `Reads fallbacks and providers`() throws {
        let text = """
            [FALLBACKS]
            a = b, c
            [PROVIDER_1]
            provider = zhipu
            baseurl = https://api.example/v4/
            token = t
            model_list = x, y
            """
        let settings = try #require(Fixture.read(Fixture.identity() + text).settings)
        #expect(settings.fallbacks.map(\.alternatives) == [["b", "c"]])
        #expect(settings.fallbacks.map(\.model) == ["a"])
        let provider = try #require(settings.providers.first)
        #expect(provider.name == "zhipu")
        #expect(provider.baseURL.description == "https://api.example/v4")
        #expect(provider.token?.reveal() == "t")
        #expect(provider.models == ["x", "y"])
    }

    @Test(arguments: [
        ("[FALLBACKS]\na =\n", 7), ("[PROVIDER_1]\nbaseurl = https://a\n", 6), ("[PROVIDER_1]\nprovider = a\n", 6),
        ("[PROVIDER_1]\nprovider = a/b\nbaseurl = https://a\n", 7), ("[PROVIDER_1]\nprovider = a\nbaseurl = a\n", 8),
        ("[PROVIDER_1]\nprovider = a\nbaseurl = https://a\nmodel_list = ,\n", 9),
    ])
    func `An incomplete fallback or provider is an error`(text: String, line: Int) {
        #expect(Fixture.read(Fixture.identity() + text).errors.map(\.line) == [line])
    }
}
