import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy

/// The sources of tokens, without a network.
@Suite(.timeLimit(.minutes(5))) struct TokenSourceTests {
    private static let now: Int64 = 2_020_109_500

    // MARK: Files

    private func session(expiry: Int64?) throws -> (directory: TemporaryDirectory, source: SessionTokenFile) {
        let directory = try TemporaryDirectory()
        let claims = expiry.map { #"{"exp":\#($0)}"# } ?? "{}"
        let token = try directory.write(CredentialSamples.jwt(claims) + "\n", to: "token")
        let key = try directory.write(
            try String(contentsOf: .fixture("oci/signing/test_key.pem"), encoding: .utf8), to: "key.pem")
        return (directory, SessionTokenFile(identity: SecurityTokenIdentity(tokenFile: token, keyFile: key)))
    }

    @Test func `A session is read from its files and its changes are seen`() throws {
        let (directory, source) = try session(expiry: Self.now + 100)
        let token = try source.fetch(at: Self.now)
        #expect(token.expiry == Self.now + 100)
        #expect(token.signer.keyID.hasPrefix("ST$ey"))
        #expect(!source.hasChanged(since: token))
        _ = try directory.write("another-token", to: "token")
        #expect(source.hasChanged(since: token))
        #expect(try source.fetch(at: Self.now).signer.keyID.hasPrefix("ST$"))
        try FileManager.default.removeItem(atPath: source.identity.tokenFile)
        #expect(throws: CredentialFailure.self) { try source.fetch(at: Self.now) }
    }

    @Test func `A session that is renewed after a failure is seen without waiting for the pause`() async throws {
        let (directory, source) = try session(expiry: Self.now - 1)
        let time = ManualTime(wallClock: Self.now)
        let cache = TokenCache(account: "a", source: source, time: time.source, random: { 0 }, logger: .silent)
        // Several failures, so that the pause is long.
        for _ in 0..<8 {
            await #expect(throws: CredentialFailure.self) { try await cache.signer() }
            time.advance(by: .seconds(100))
        }
        await #expect(throws: CredentialFailure.self) { try await cache.signer() }
        _ = try directory.write(CredentialSamples.jwt(#"{"exp":\#(Self.now + 10_000)}"#) + "\n", to: "token")
        time.advance(by: TokenCache.lookInterval)
        #expect(try await cache.signer().keyID.hasPrefix("ST$ey"))
    }

    @Test func `An expired session says how to renew it`() throws {
        let (directory, source) = try session(expiry: Self.now)
        defer { withExtendedLifetime(directory) {} }
        #expect {
            try source.fetch(at: Self.now)
        } throws: { error in
            "\(error)".contains("expired at Thu, 05 Jan 2034 21:31:40 GMT; run 'oci session refresh'")
        }
    }

    @Test func `A resource principal comes from the environment or from files`() throws {
        let pem = try String(contentsOf: .fixture("oci/signing/test_key.pem"), encoding: .utf8)
        let token = CredentialSamples.jwt(#"{"exp":\#(Self.now + 10)}"#)
        let directory = try TemporaryDirectory()
        let values: [(token: ResourcePrincipalSettings.Value, key: ResourcePrincipalSettings.Value)] = [
            (.text(Secret(token)), .text(Secret(pem))),
            (.init(try directory.write(token + "\n", to: "rpst")), .init(try directory.write(pem, to: "pem"))),
        ]
        for value in values {
            let source = ResourcePrincipal(settings: .init(token: value.token, privateKey: value.key))
            let fetched = try source.fetch(at: Self.now)
            #expect(fetched.signer.keyID == "ST$" + token)
            #expect(!source.hasChanged(since: fetched))
            #expect(throws: CredentialFailure.self) { try source.fetch(at: Self.now + 10) }
        }
        let broken = ResourcePrincipal(
            settings: .init(token: .text(Secret(token)), privateKey: .text(Secret("hunter2"))))
        #expect {
            try broken.fetch(at: Self.now)
        } throws: { error in
            !"\(error)".contains("hunter2") && "\(error)".contains("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM cannot be used")
        }
    }

    // MARK: Services

    @Test func `A workload exchanges its service account for a token`() async throws {
        let directory = try TemporaryDirectory()
        var settings = WorkloadIdentitySettings(service: "https://10.0.0.1:12250")
        settings.serviceAccountToken = try directory.write("service-account\n", to: "token")
        let answer = Data(#"{"token":"ST$abc"}"#.utf8).base64EncodedString()
        let transport = FakeTransport(body: answer)
        let token = try await WorkloadIdentity(settings: settings, transport: transport).fetch(at: Self.now)
        #expect(token.signer.keyID == "ST$abc")
        let request = try #require(transport.requests.first)
        #expect(request.method == .POST)
        #expect(request.url == "https://10.0.0.1:12250/resourcePrincipalSessionTokens")
        #expect(request.headers["authorization"] == ["Bearer service-account"])
        #expect(request.headers["content-type"] == ["application/json"])
        #expect(request.headers["opc-request-id"].count == 1)
        let body = try JSONDocument(parsing: Array(try #require(request.body).readableBytesView)).root
        #expect(body["podKey"]?.string?.hasPrefix("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA") == true)
    }

    @Test(arguments: [#"{"token":"ST$abc"}"#])
    func `The clusters answer may be quoted`(json: String) {
        let base64 = Data(json.utf8).base64EncodedString()
        #expect(WorkloadIdentity.token(in: Array(base64.utf8)) == "ST$abc")
        #expect(WorkloadIdentity.token(in: Array("\"\(base64)\"".utf8)) == "ST$abc")
        #expect(WorkloadIdentity.token(in: Array("{}".utf8)) == nil)
        #expect(WorkloadIdentity.token(in: []) == nil)
    }

    @Test func `A basic cluster is told apart`() async throws {
        let directory = try TemporaryDirectory()
        var settings = WorkloadIdentitySettings(service: "https://10.0.0.1:12250")
        settings.serviceAccountToken = try directory.write("service-account", to: "token")
        let source = WorkloadIdentity(settings: settings, transport: FakeTransport(status: 403, body: "{}"))
        await #expect {
            try await source.fetch(at: Self.now)
        } throws: { error in
            "\(error)"
                == "the token service of the cluster returned HTTP 403; upgrade to an enhanced cluster; basic clusters have no workload identity"
        }
    }

    @Test func `Without a way to the metadata service the next address is tried`() async throws {
        let transport = FakeTransport { request in
            throw TransportError.cannotConnect("no route to the host")
        }
        let source = InstancePrincipal(
            places: InstancePrincipalSettings(), transport: transport, time: ManualTime().source)
        await #expect {
            try await source.fetch(at: Self.now)
        } throws: { error in
            "\(error)".contains(
                "no route to the host; use auth = instance_principal on OCI compute instances only")
        }
        #expect(
            transport.requests.map(\.url) == [
                "http://169.254.169.254/opc/v2/instance/regionInfo",
                "http://[fd00:c1::a9fe:a9fe]/opc/v2/instance/regionInfo",
            ])
        #expect(transport.requests.allSatisfy { $0.headers["authorization"] == ["Bearer Oracle"] })
    }

    @Test(
        arguments: [
            (
                #"{"realmKey":"oc1","realmDomainComponent":"oraclecloud.com","regionKey":"ORD","regionIdentifier":"us-chicago-1"}"#,
                "https://auth.us-chicago-1.oraclecloud.com"
            ),
            (#"{"realmDomainComponent":"oraclecloud.com"}"#, nil),
            (#"{"realmDomainComponent":"a/b","regionIdentifier":"us-chicago-1"}"#, nil), ("phx", nil),
        ] as [(String, String?)])
    func `The auth service is that of the instances region`(info: String, endpoint: String?) {
        #expect((try? InstancePrincipal.authEndpoint(regionInfo: Array(info.utf8))) == endpoint)
    }

    @Test(
        arguments: [
            (["x", "opc-certtype:instance", "opc-tenant:ocid1.tenancy.oc1..t"], "ocid1.tenancy.oc1..t"),
            (["opc-identity:ocid1.tenancy.oc1..i"], "ocid1.tenancy.oc1..i"),
            (["opc-identity:i", "opc-tenant:t"], "t"), (["opc-tenant:"], nil), (["opc-tenant:a\"b"], nil), ([], nil),
        ] as [([String], String?)])
    func `The tenancy stands in the certificates subject`(values: [String], tenancy: String?) {
        #expect(LeafCertificate.tenancy(among: values) == tenancy)
    }

    @Test func `What is no certificate is refused`() {
        for text in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            #expect(throws: CredentialFailure.self) { try LeafCertificate(pem: Array(text.utf8)) }
        }
    }

    @Test func `Pem texts lose their armour`() {
        let text =
            "x\r\n-----BEGIN CERTIFICATE-----\r\nAA\r\nBB\r\n-----END CERTIFICATE-----\r\n-----BEGIN CERTIFICATE-----\nCC\n-----END CERTIFICATE-----"
        #expect(PEMContent.blocks(of: Array(text.utf8)) == ["AABB", "CC"])
        #expect(PEMContent.blocks(of: Array("AABB".utf8)) == [])
    }

    @Test(arguments: [
        ("http://127.0.0.1:9/a?b=c", "127.0.0.1:9", "/a?b=c"), ("https://h", "h", "/"),
        ("https://[::1]:1/", "[::1]:1", "/"), ("https://h/a%2Fb", "h", "/a%2Fb"),
    ])
    func `A URL is split as a signature needs it`(url: String, authority: String, path: String) {
        #expect(HTTPTarget(of: url).authority == authority)
        #expect(HTTPTarget(of: url).path == path)
    }
}
