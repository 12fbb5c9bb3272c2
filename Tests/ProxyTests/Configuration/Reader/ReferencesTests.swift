import ProxyAccounting
import Testing

@testable import Proxy

/// Values that stand elsewhere than in the configuration.
@Suite struct ReferencesTests {
    typealias Fixture = ConfigurationFixture

    private static let directory = "/run/credentials/p"

    private static func read(
        _ text: String, environment: [String: String] = [:], files: [String: String] = [:]
    ) -> ConfigurationLoader.Outcome {
        Fixture.read(
            text, files: Set(files.keys).union(["/etc/proxy/key.pem"]),
            credentials: CredentialEnvironment(
                values: environment, readFile: { path in files[path].map { Array($0.utf8) } }))
    }

    private static func provider(_ token: String) -> String {
        "api_key = k\n[PROVIDER_1]\nprovider = p\nbaseurl = https://h.example/v1\ntoken = \(token)\n"
    }

    @Test(
        arguments: [
            ("${TOKEN}", ["TOKEN": "sk-1"], [:]),
            ("${TOKEN}", ["CREDENTIALS_DIRECTORY": directory], ["\(directory)/TOKEN": "sk-1\n"]),
            ("${TOKEN}", ["CREDENTIALS_DIRECTORY": directory, "TOKEN": "sk-1"], ["\(directory)/TOKEN": "other"]),
            ("file:/run/token", [:], ["/run/token": "sk-1\r\n"]), ("file:token", [:], ["/etc/proxy/token": "sk-1"]),
            ("file:~/token", [:], ["/home/me/token": "sk-1"]), ("'${TOKEN}'", ["TOKEN": "sk-1"], [:]),
            ("sk-1", [:], [:]),
        ] as [(String, [String: String], [String: String])])
    func `A token may stand elsewhere`(token: String, environment: [String: String], files: [String: String]) throws {
        let outcome = Self.read(Self.provider(token), environment: environment, files: files)
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(try #require(outcome.settings).providers[0].token?.reveal() == "sk-1")
    }

    @Test(
        arguments: [
            ("${TOKEN}", [:], [:], "environment variable TOKEN is not set, or empty"),
            ("${TOKEN}", ["TOKEN": ""], [:], "environment variable TOKEN is not set, or empty"),
            ("${TOKEN}", ["CREDENTIALS_DIRECTORY": directory], [:], "systemd has given no credential of that name"),
            ("${TOKEN}", ["TOKEN": "secret\nsecret"], [:], "has more than one line"),
            ("file:/run/token", [:], [:], "no such file (looked for /run/token)"),
            ("file:/run/token", [:], ["/run/token": "\n"], "/run/token is empty"),
            ("file:/run/token", [:], ["/run/token": "secret\nsecret"], "has more than one line"),
        ] as [(String, [String: String], [String: String], String)])
    func `One that is not there is an error with its line`(
        token: String, environment: [String: String], files: [String: String], message: String
    ) throws {
        let outcome = Self.read(Self.provider(token), environment: environment, files: files)
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [5])
        let text = try #require(outcome.errors.first).description
        #expect(text.contains(message) && text.hasPrefix("c.conf:5: token: ") && !text.contains("secret"), "\(text)")
    }

    @Test(arguments: ["${", "${}", "${1A}", "${A B}", "x${A}", "${A}x", "$A", "file:", "${A-b}"])
    func `What is no reference stands for itself`(token: String) throws {
        let outcome = Self.read(Self.provider("\"\(token)\""), environment: ["A": "value"])
        if token.contains(" ") {
            #expect(outcome.settings == nil)
        } else {
            #expect(try #require(outcome.settings).providers[0].token?.reveal() == token)
        }
    }

    @Test func `Any setting may be a variable, and paths are paths`() throws {
        let outcome = Self.read(
            "port = ${PORT}\napi_key = k\nuser = ${WHO}\nfingerprint = \(Fixture.fingerprint)\nkey_file = ${KEY}\ntenancy = ocid1.tenancy.oc1..t\nregion = ${WHERE}\n",
            environment: ["PORT": "9000", "WHO": "ocid1.user.oc1..u", "KEY": "key.pem", "WHERE": "us-chicago-1"])
        let settings = try #require(outcome.settings, "\(outcome.issues)")
        #expect(settings.server.port == 9000)
        #expect(Fixture.identity(of: settings)?.user == "ocid1.user.oc1..u")
        #expect(Fixture.identity(of: settings)?.keyFile == "/etc/proxy/key.pem")
        #expect(settings.usableAccounts.first?.region == "us-chicago-1")
    }

    @Test func `A value that is not valid is not shown, but where it comes from`() throws {
        let outcome = Self.read(
            "port = ${PORT}\napi_key = k\n" + Fixture.identity(), environment: ["PORT": "sk-secret"])
        let text = try #require(outcome.errors.first).description
        #expect(text.contains("environment variable PORT") && !text.contains("sk-secret"))
    }

    @Test func `One account without its variable leaves the others alone`() throws {
        let outcome = Self.read(
            "api_key = k\n[ACCOUNT_1]\n" + Fixture.identity(replacing: "user", with: "${GONE}") + "[ACCOUNT_2]\n"
                + Fixture.identity())
        #expect(outcome.errors.map(\.account) == ["account_1"])
        #expect(outcome.errors.map(\.line) == [3])
        #expect(try #require(outcome.settings).usableAccounts.map(\.id) == ["account_2"])
    }

    @Test(
        arguments: [
            ("api_key = ${ONE}, two-two\n", ["one-one", "two-two"]),
            ("api_key = ${ONE}, ${TWO}\n", ["one-one", "from-two"]),
            ("api_key = file:/run/token\n", ["from-file"]),
            ("api_key = a\n[API_KEYS]\nx = ${ONE} role=viewer\ny = file:/run/token\n", ["a", "one-one", "from-file"]),
        ])
    func `Client keys may stand elsewhere`(keys: String, values: [String]) throws {
        let text = keys.contains("[") ? Fixture.identity() + keys : keys + Fixture.identity()
        let outcome = Self.read(
            text, environment: ["ONE": "one-one", "TWO": "from-two"], files: ["/run/token": "from-file\n"])
        let settings = try #require(outcome.settings, "\(outcome.issues)")
        #expect(settings.clientKeys.map { $0.value.reveal() } == values)
        #expect(!settings.needsGeneratedKey)
        if keys.contains("role") { #expect(settings.clientKeys[1].limits.role == .viewer) }
    }

    @Test(arguments: ["api_key = ${GONE}\n", "api_key = ${GONE}, ${ALSO_GONE}\n", "api_key = file:/gone\n"])
    func `A client key that is not there is never made anew`(keys: String) {
        let outcome = Self.read(keys + Fixture.identity())
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [1])
    }

    @Test func `A key of several words is none`() {
        let outcome = Self.read(
            Fixture.identity() + "api_key = a\n[API_KEYS]\nx = ${ONE}\n", environment: ["ONE": "one role=admin"])
        #expect(outcome.settings == nil)
    }

    @Test func `JSON has the same`() throws {
        let outcome = Self.read(
            #"{"providers": [{"provider": "a", "baseurl": "https://h.example", "token": "${ONE}"}, "b|https://h.example|${TWO}"], "tokens": ["alice|${KEY}", "bob|${KEY_2}|role=viewer"]}"#,
            environment: ["ONE": "one", "TWO": "two", "KEY": "key-of-alice", "KEY_2": "key-of-bob"])
        let settings = try #require(outcome.settings, "\(outcome.issues)")
        #expect(settings.providers.map { $0.token?.reveal() } == ["one", "two"])
        #expect(settings.clientKeys.map { $0.value.reveal() } == ["key-of-alice", "key-of-bob"])
        #expect(settings.clientKeys[1].limits.role == .viewer)
        let unset = Self.read(
            "{\"providers\": [\n{\"provider\": \"a\", \"baseurl\": \"https://h.example\",\n\"token\": \"${ONE}\"}],\n\"tokens\": [\"a|${GONE}\"]}"
        )
        #expect(unset.errors.map(\.line) == [3, 4])
    }

    @Test(arguments: [
        (provider("sk-1"), true),
        ("api_key = ${K}\n[PROVIDER_1]\nprovider = p\nbaseurl = https://h.example\ntoken = ${K}\n", false),
    ])
    func `A file that only refers to secrets may be read by others`(text: String, holdsSecrets: Bool) {
        #expect(Self.read(text, environment: ["K": "key"]).holdsSecrets == holdsSecrets)
    }

    @Test func `Names of models are names`() throws {
        let outcome = Self.read(
            "api_key = k\n" + Fixture.identity() + "[FALLBACKS]\na = ${ONE}\n", environment: ["ONE": "b"])
        #expect(try #require(outcome.settings).fallbacks.first?.alternatives == ["${ONE}"])
    }
}
