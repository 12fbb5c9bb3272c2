import ProxyAccounting
import Testing

@testable import Proxy

@Suite struct KeySettingsTests {
    private static let account = ConfigurationFixture.identity()

    private func read(_ text: String) -> ConfigurationLoader.Outcome { ConfigurationFixture.read(Self.account + text) }

    /// Name and role of each key.
    private func roles(_ outcome: ConfigurationLoader.Outcome) -> [String: KeyRole] {
        Dictionary(
            (outcome.settings?.clientKeys ?? []).map { ($0.name, $0.limits.role) }, uniquingKeysWith: { $1 })
    }

    // MARK: Roles

    @Test func `As long as the file names no role, the keys of api_key may do everything and others are clients`()
        throws
    {
        let outcome = read("api_key = first-key-1,second-key-2\n[API_KEYS]\nalice = sk-alice\n")
        #expect(outcome.issues.allSatisfy { $0.severity == .warning })
        #expect(roles(outcome) == ["default": .admin, "default-2": .admin, "alice": .client])
        let settings = try #require(outcome.settings)
        #expect(settings.keysOfFullRight == ["default", "default-2"])
        #expect(settings.fullRightSentence?.contains("The client keys default, default-2 may also") == true)
    }

    @Test(arguments: [
        "[API_KEYS]\nalice = sk-alice role=admin\n", "[API_KEYS]\nalice = sk-alice\n[KEY alice]\nrole = admin\n",
        "[API_KEYS]\nAlice = sk-alice\n[key ALICE]\nROLE = Admin\n",
        "[API_KEYS]\nalice = sk-alice role=admin\n[KEY alice]\nrole = admin\n",
    ])
    func `Once a role is named, whoever has none is a client`(text: String) throws {
        let outcome = read("api_key = first-key-1\n" + text)
        #expect(outcome.errors.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.clientKeys.map(\.limits.role) == [.client, .admin])
        #expect(settings.clientKeys.last?.value == Secret("sk-alice"))
        #expect(settings.fullRightSentence == nil)
    }

    @Test func `api_key gets its role as default`() {
        let outcome = read("api_key = first-key-1\n[KEY default]\nrole = viewer\n")
        #expect(outcome.errors.isEmpty)
        #expect(roles(outcome) == ["default": .viewer])
    }

    @Test func `A key that is yet to be made has a role as well`() throws {
        let plain = try #require(read("").settings)
        #expect(plain.generatedKey.limits.role == .admin)
        #expect(plain.fullRightSentence?.contains("The client key default may also") == true)
        let outcome = read("[KEY default]\nrole = client\nrpm = 7\n")
        #expect(outcome.errors.isEmpty)
        let settings = try #require(outcome.settings)
        #expect(settings.needsGeneratedKey)
        #expect(settings.generatedKey.limits.role == .client)
        #expect(settings.generatedKey.limits.requestsPerMinute == 7)
    }

    @Test func `In JSON the first token may do everything until a role is named`() {
        func roles(_ tokens: String, _ more: String = "") -> [String: KeyRole] {
            let outcome = ConfigurationFixture.read(
                #"{"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": [\#(tokens)]\#(more)}"#)
            #expect(outcome.errors.isEmpty, "\(tokens)\(more)")
            return self.roles(outcome)
        }
        #expect(roles(#""ops|T1", "web|T2""#) == ["ops": .admin, "web": .client])
        #expect(roles(#""ops|T1", "web|T2|role=viewer""#) == ["ops": .client, "web": .viewer])
        #expect(roles(#""ops|T1 | role=admin", "web|T2""#) == ["ops": .admin, "web": .client])
        #expect(
            roles(#""ops|T1", "web|T2""#, #", "keys": {"web": {"role": "admin"}}"#) == ["ops": .client, "web": .admin])
    }

    @Test func `A bar in a token that names no role is a part of it`() throws {
        let outcome = ConfigurationFixture.read(
            #"{"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": ["ops|T|1", "web|T|2|role=admin"]}"#)
        #expect(outcome.settings?.clientKeys.map { $0.value.reveal() } == ["T|1", "T|2"])
    }

    @Test(arguments: [
        ("[API_KEYS]\nalice = sk-alice role=boss\n", "the role of the client key alice is not valid"),
        ("[API_KEYS]\nalice = sk-alice rpm=3\n", "the client key alice is not valid"),
        ("[API_KEYS]\nalice = sk alice\n", "the client key alice is not valid"),
        ("[API_KEYS]\nalice = sk-alice role=admin\n[KEY alice]\nrole = viewer\n", "differs from the one in line 8"),
        ("[API_KEYS]\nalice = sk-alice\n[KEY alice]\nrole = boss\n", "role = boss is not valid"),
        ("[API_KEYS]\nalice = sk-alice\n[KEY alice]\nmodels = ^grok(\n", "the expression ^grok( is not valid"),
        ("[API_KEYS]\nalice = sk-alice\n[KEY alice]\nexpires = tomorrow\n", "expires = tomorrow is not valid"),
        ("[API_KEYS]\nalice = sk-alice\n[KEY alice]\nrpm = 0\n", "rpm = 0 is not valid"),
    ])
    func `What is wrong is an error with its line`(text: String, message: String) {
        let outcome = read("api_key = first-key-1\n" + text)
        let lines = (Self.account + "api_key = first-key-1\n" + text).split(separator: "\n").count
        let error = outcome.errors.first { $0.message.contains(message) }
        #expect(error?.line == lines, "\(outcome.errors)")
        #expect(outcome.errors.allSatisfy { !$0.description.contains("sk-alice") })
    }

    @Test func `A role for a name that two keys have is an error`() {
        let outcome = ConfigurationFixture.read(
            #"{"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": ["ops|T1|role=admin", "ops|T2"]}"#)
        #expect(outcome.errors.contains { $0.message.contains("two keys are named ops") })
    }

    @Test func `Limits of a key that is not there are an error, with the nearest name`() {
        let outcome = read("api_key = first-key-1\n[API_KEYS]\nalice = sk-alice\n[KEY alise]\nrpm = 3\n")
        #expect(
            outcome.errors.contains {
                $0.message.contains("[KEY alise] has no effect") && $0.fix.contains("did you mean alice?")
            })
    }

    @Test func `Who names a key by its value does not find it in the log`() {
        let outcome = read("api_key = first-key-1\n[API_KEYS]\nalice = sk-alice\n[KEY sk-alice]\nrpm = 3\n")
        #expect(outcome.errors.count == 1)
        #expect(outcome.issues.allSatisfy { !"\($0)".contains("sk-alice") })
    }

    // MARK: Limits

    @Test func `A section gives its key limits`() throws {
        let outcome = read(
            """
            api_key = first-key-1
            [API_KEYS]
            alice = sk-alice
            [KEY alice]
            expires = 2027-01-31
            models = ^grok, ^xai[.]
            rpm = 60
            tpm = 90000
            max_concurrency = 4
            """)
        #expect(outcome.errors.isEmpty)
        let key = try #require(outcome.settings?.clientKeys.last)
        #expect(key.limits.expires == 1_801_353_600)
        #expect(key.limits.models == ["^grok", "^xai[.]"])
        #expect(key.models.admits("grok-4"))
        #expect(!key.models.admits("llama"))
        #expect(key.limits.requestsPerMinute == 60)
        #expect(key.limits.tokensPerMinute == 90_000)
        #expect(key.limits.maxConcurrency == 4)
    }

    @Test func `A JSON file says the same`() throws {
        let outcome = ConfigurationFixture.read(
            #"""
            {"providers": ["zhipu|https://api.example/v4|KEY"], "tokens": ["alice|T1"],
             "keys": {"alice": {"expires": "2027-01-31T12:30:00+01:00", "models": ["^a", "^b"], "rpm": 60, "role": "admin"}}}
            """#)
        #expect(outcome.errors.isEmpty)
        let limits = try #require(outcome.settings?.clientKeys.first?.limits)
        #expect(limits.expires == 1_801_395_000)
        #expect(limits.models == ["^a", "^b"])
        #expect(limits.requestsPerMinute == 60)
        #expect(limits.role == .admin)
    }

    @Test func `An unknown setting of a key is told`() {
        let outcome = read("api_key = first-key-1\n[KEY default]\nrmp = 3\n")
        #expect(outcome.issues.contains { $0.message.contains("unknown key rmp") && $0.fix.contains("rpm") })
    }
}
