import Testing

@testable import Proxy

/// What `auth` and `profile` make of a configuration, an environment and `~/.oci/config`.
@Suite struct CredentialSettingsTests {
    typealias Fixture = ConfigurationFixture

    private static let common = "region = us-chicago-1\ncompartment = ocid1.compartment.oc1..c\n"

    private func environment(_ values: [String: String] = [:], files: [String: String] = [:]) -> CredentialEnvironment {
        CredentialEnvironment(values: values, readFile: { files[$0].map { Array($0.utf8) } })
    }

    private func onlyAccount(_ outcome: ConfigurationLoader.Outcome) -> AccountSettings? {
        outcome.settings?.usableAccounts.first
    }

    // MARK: auth

    @Test func `A session token needs its two files and no user`() throws {
        let text = "auth = security_token\nsecurity_token_file = token\nkey_file = key.pem\n" + Self.common
        let outcome = Fixture.read(text, files: ["/etc/proxy/key.pem", "/etc/proxy/token"])
        #expect(outcome.issues.isEmpty)
        let account = try #require(onlyAccount(outcome))
        #expect(
            account.credentials
                == .securityToken(
                    SecurityTokenIdentity(
                        tokenFile: "/etc/proxy/token", keyFile: "/etc/proxy/key.pem", tokenFilePlace: .init(line: 2),
                        keyFilePlace: .init(line: 3))))
        #expect(account.compartment == "ocid1.compartment.oc1..c")
        #expect(account.tenancy == nil)
    }

    @Test(arguments: [
        (
            "auth = security_token\nsecurity_token_file = token\nkey_file = nothing.pem\n" + common,
            "c.conf:3: key_file = nothing.pem: no such file"
        ),
        (
            "auth = security_token\nsecurity_token_file = nothing\nkey_file = key.pem\n" + common,
            "c.conf:2: security_token_file = nothing: no such file"
        ),
        (
            "auth = instance_principal\nregion = us-chicago-1\n",
            "c.conf:1: compartment is missing in the root, which auth = instance_principal needs"
        ),
        (
            "auth = instance_principal\ncompartment = ocid1.compartment.oc1..c\n",
            "c.conf:1: region is missing in the root"
        ),
        (
            "auth = resource_principal\n" + common,
            "c.conf:1: auth = resource_principal is not available: environment variable OCI_RESOURCE_PRINCIPAL_VERSION"
        ),
        (
            "auth = oke_workload_identity\n" + common,
            "c.conf:1: auth = oke_workload_identity is not available: environment variable KUBERNETES_SERVICE_HOST"
        ),
    ])
    func `What is missing is said with its line`(text: String, beginning: String) {
        let outcome = Fixture.read(text, files: ["/etc/proxy/key.pem", "/etc/proxy/token"])
        #expect(outcome.settings == nil)
        #expect(outcome.errors.first?.description.hasPrefix(beginning) == true, "\(outcome.errors)")
    }

    @Test func `An instance principal takes its services from the environment`() throws {
        let text = "auth = instance_principal\n" + Self.common
        let plain = try #require(onlyAccount(Fixture.read(text)))
        #expect(plain.credentials == .instancePrincipal(InstancePrincipalSettings()))
        #expect(InstancePrincipalSettings().metadata.first == "http://169.254.169.254/opc/v2")
        let values = [
            "OCI_METADATA_BASE_URL": "http://127.0.0.1:9/opc/v2/",
            "OCI_SDK_AUTH_CLIENT_REGION_URL": "http://127.0.0.1:9",
        ]
        let changed = try #require(onlyAccount(Fixture.read(text, credentials: environment(values))))
        guard case .instancePrincipal(let settings) = changed.credentials else {
            Issue.record("\(changed.credentials)")
            return
        }
        #expect(settings.metadata == ["http://127.0.0.1:9/opc/v2"])
        #expect(settings.auth == "http://127.0.0.1:9")
    }

    @Test func `A resource principal knows its region and tenancy`() throws {
        let token = CredentialSamples.jwt(#"{"exp":4000000000,"res_tenant":"ocid1.tenancy.oc1..rp"}"#)
        let values = [
            "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2", "OCI_RESOURCE_PRINCIPAL_RPST": "/rp/rpst",
            "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": "PEM",
            "OCI_RESOURCE_PRINCIPAL_REGION": "ord",
        ]
        let outcome = Fixture.read(
            "auth = resource_principal\n", credentials: environment(values, files: ["/rp/rpst": token + "\n"]))
        #expect(outcome.issues.isEmpty)
        let account = try #require(onlyAccount(outcome))
        #expect(account.region == "us-chicago-1")
        #expect(account.compartment == "ocid1.tenancy.oc1..rp")
        #expect(
            account.credentials == .resourcePrincipal(.init(token: .file("/rp/rpst"), privateKey: .text(Secret("PEM"))))
        )
        for version in ["1.1", "3.0"] {
            let values = values.merging(["OCI_RESOURCE_PRINCIPAL_VERSION": version]) { $1 }
            let errors = Fixture.read("auth = resource_principal\n" + Self.common, credentials: environment(values))
                .errors
            #expect(errors.first?.message.contains("is \(version), but only 2.2 is supported") == true)
        }
    }

    @Test func `A workload finds its cluster in the environment`() throws {
        let directory = "/var/run/secrets/kubernetes.io/serviceaccount"
        let text = "auth = oke_workload_identity\ncompartment = ocid1.compartment.oc1..c\n"
        let values = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "OCI_RESOURCE_PRINCIPAL_REGION": "eu-frankfurt-1"]
        let outcome = Fixture.read(
            text, files: ["\(directory)/token", "\(directory)/ca.crt"], credentials: environment(values))
        #expect(outcome.issues.isEmpty)
        let account = try #require(onlyAccount(outcome))
        #expect(
            account.credentials == .okeWorkloadIdentity(WorkloadIdentitySettings(service: "https://10.96.0.1:12250")))
        #expect(account.region == "eu-frankfurt-1")
        let without = Fixture.read(text, files: ["\(directory)/token"], credentials: environment(values))
        #expect(without.errors.first?.message.hasSuffix("is not available: \(directory)/ca.crt does not exist") == true)
    }

    // MARK: profile

    private static let profiles = """
        # Made by a person.
        [DEFAULT]
        user=ocid1.user.oc1..default
        fingerprint=00:11:22:33:44:55:66:77:88:99:AA:bb:cc:dd:ee:ff
        tenancy=ocid1.tenancy.oc1..default
        region=us-chicago-1
        key_file=~/.oci/key.pem
        pass_phrase = hunter2 # with a sign

        [WORK]
        region : FRA
        key_file = work.pem

        [SESSION]
        security_token_file=/home/me/.oci/sessions/SESSION/token
        key_file=/home/me/.oci/sessions/SESSION/key.pem

        [BROKEN]
        region = no region!

        [DELEGATED]
        authentication_type = instance_principal
        delegation_token_file = /etc/oci/delegation_token

        [INSTANCE]
        authentication_type = instance_principal
        """

    private static let files: Set = [
        "/home/me/.oci/key.pem", "/home/me/.oci/work.pem", "/home/me/.oci/sessions/SESSION/token",
        "/home/me/.oci/sessions/SESSION/key.pem",
        "/etc/proxy/key.pem",
    ]

    private func read(_ text: String) -> ConfigurationLoader.Outcome {
        Fixture.read(text, files: Self.files, credentials: environment(files: ["/home/me/.oci/config": Self.profiles]))
    }

    @Test func `A profile gives the identity`() throws {
        let outcome = read("profile = DEFAULT\n")
        #expect(outcome.issues.isEmpty)
        let settings = try #require(outcome.settings)
        var identity = APIKeyIdentity(
            user: "ocid1.user.oc1..default", tenancy: "ocid1.tenancy.oc1..default", fingerprint: Fixture.fingerprint,
            keyFile: "/home/me/.oci/key.pem", passPhrase: Secret("hunter2 # with a sign"), keyFileLine: 7,
            fingerprintLine: 4, passPhraseLine: 8)
        identity.keyFileOrigin = "/home/me/.oci/config"
        identity.fingerprintOrigin = "/home/me/.oci/config"
        identity.passPhraseOrigin = "/home/me/.oci/config"
        #expect(Fixture.identity(of: settings) == identity)
        #expect(settings.usableAccounts.first?.region == "us-chicago-1")
    }

    @Test func `A profile inherits from default and the account wins over both`() throws {
        let settings = try #require(read("profile = WORK\nuser = ocid1.user.oc1..mine\n").settings)
        let identity = try #require(Fixture.identity(of: settings))
        #expect(identity.user == "ocid1.user.oc1..mine")
        #expect(identity.keyFile == "/home/me/.oci/work.pem")
        #expect(identity.tenancy == "ocid1.tenancy.oc1..default")
        #expect(settings.usableAccounts.first?.region == "eu-frankfurt-1")
        let other = try #require(read("profile = WORK\nkey_file = key.pem\n").settings)
        // The profile's passphrase belongs to the profile's key.
        #expect(Fixture.identity(of: other)?.passPhrase == nil)
    }

    @Test func `A profile with a session token uses it`() throws {
        let account = try #require(onlyAccount(read("profile = SESSION\n")))
        guard case .securityToken(let identity) = account.credentials else {
            Issue.record("\(account.credentials)")
            return
        }
        #expect(identity.tokenFile == "/home/me/.oci/sessions/SESSION/token")
        #expect(identity.tokenFilePlace == SettingPlace(file: "/home/me/.oci/config", line: 15))
        #expect(account.compartment == "ocid1.tenancy.oc1..default")
        #expect(try #require(onlyAccount(read("profile = INSTANCE\n"))).credentials.kind == .instancePrincipal)
        #expect(
            try #require(onlyAccount(read("profile = SESSION\nauth = api_key\nkey_file = key.pem\n"))).credentials.kind
                == .apiKey)
    }

    @Test(arguments: [
        (
            "profile = WROK\n",
            "c.conf:1: profile = WROK: /home/me/.oci/config has no profile with that name; did you mean WORK?"
        ),
        ("profile = BROKEN\n", "/home/me/.oci/config:19: region = no region! is not valid"),
        ("profile = DELEGATED\n", "/home/me/.oci/config:23: delegation_token_file is not supported"),
    ])
    func `What is wrong with a profile is said with file and line`(text: String, beginning: String) {
        let outcome = read(text)
        #expect(outcome.settings == nil)
        #expect(outcome.errors.count == 1)
        #expect(outcome.errors.first?.description.hasPrefix(beginning) == true, "\(outcome.errors)")
        #expect(!outcome.issues.description.contains("hunter2"))
    }

    @Test func `The file of profiles may be elsewhere or missing`() throws {
        let elsewhere = environment(["OCI_CONFIG_FILE": "/srv/oci.conf"], files: ["/srv/oci.conf": Self.profiles])
        #expect(onlyAccount(Fixture.read("profile = SESSION\n", files: Self.files, credentials: elsewhere)) != nil)
        let missing = Fixture.read("profile = SESSION\n", files: Self.files, credentials: environment())
        #expect(missing.errors.first?.message == "profile = SESSION: /home/me/.oci/config cannot be read")
    }
}
