import COpenSSL
import Foundation
import Testing

@testable import OCISimulator

/// The services that give out credentials, and what inference makes of them.
@Suite struct CredentialServicesTests {
    private let service: SimulatedService
    private let account: SimulatedAccount
    /// Of the session.
    private let key: String
    private let now: Int

    init() throws {
        let accounts = try SimulatedAccount.generate(1)
        let now = Int(Date().timeIntervalSince1970)
        var configuration = SimulatorConfiguration(accounts: accounts)
        configuration.now = { Double(now) }
        service = SimulatedService(configuration)
        account = accounts[0]
        key = try RSAPrivateKeyPEM.pooled(count: 4)[3]
        self.now = now
    }

    private func signer(_ keyID: String, _ privateKey: String) -> TestSigner {
        TestSigner(keyID: keyID, privateKeyPEM: privateKey, date: now)
    }

    private func get(_ target: String, authorization: String? = "Bearer Oracle") -> (status: Int, text: String) {
        let headers = authorization.map { [(name: "Authorization", value: $0)] } ?? []
        return read(service.answer(SignedRequest(method: "GET", target: target, headers: headers, body: [])).script)
    }

    private func read(_ script: ReplyScript) -> (status: Int, text: String) {
        guard case .whole(let body, _) = script.form else { return (script.status, "") }
        return (script.status, String(decoding: body, as: UTF8.self))
    }

    private func publicKey() throws -> String {
        Data(try RSAPublicKey(privatePEM: key).der).base64EncodedString()
    }

    // MARK: Metadata

    @Test func `The metadata service wants its header`() {
        #expect(get("/opc/v2/instance/region").text == account.region)
        #expect(get("/opc/v2/instance/region", authorization: nil).status == 401)
        #expect(get("/opc/v2/instance/region", authorization: "Bearer oracle").status == 401)
        #expect(get("/opc/v2/nothing").status == 404)
        #expect(get("/opc/v2/instance/regionInfo").text.contains(#""regionIdentifier":"us-chicago-1""#))
    }

    @Test func `The certificate is the same each time`() {
        let certificate = get("/opc/v2/identity/cert.pem").text
        #expect(certificate.hasPrefix("-----BEGIN CERTIFICATE-----"))
        #expect(get("/opc/v2/identity/cert.pem").text == certificate)
        #expect(get("/opc/v2/identity/key.pem").text.contains("PRIVATE KEY"))
        #expect(get("/opc/v2/identity/intermediate.pem").text.hasPrefix("-----BEGIN CERTIFICATE-----"))
    }

    // MARK: Auth service

    private static let signed = ["date", "(request-target)", "content-length", "content-type", "x-content-sha256"]

    private func exchange(
        _ change: (inout JSON) -> Void = { _ in }, signing: [String] = signed, fingerprint: String? = nil,
        with privateKey: String? = nil
    ) throws -> (status: Int, text: String) {
        let certificate = get("/opc/v2/identity/cert.pem").text
        var body: JSON = [
            "certificate": .string(InstanceIdentity.content(certificate)), "publicKey": .string(try publicKey()),
            "intermediateCertificates": [
                .string(InstanceIdentity.content(get("/opc/v2/identity/intermediate.pem").text))
            ],
            "purpose": "DEFAULT",
        ]
        change(&body)
        let der = try #require(Data(base64Encoded: InstanceIdentity.content(certificate)))
        var digest = [UInt8](repeating: 0, count: 20)
        try #require(EVP_Digest(Array(der), der.count, &digest, nil, EVP_sha1(), nil) == 1)
        let computed = digest.map { String(format: "%02X", $0) }.joined(separator: ":")
        let signer = signer(
            "\(account.tenancy)/fed-x509/\(fingerprint ?? computed)", privateKey ?? get("/opc/v2/identity/key.pem").text
        )
        return read(service.answer(try signer.request("POST", "/v1/x509", body: body.bytes, signing: signing)).script)
    }

    @Test func `A certificate is exchanged for a token that inference takes`() throws {
        let answer = try exchange()
        #expect(answer.status == 200)
        let token = try #require(try JSONParser.parse(Array(answer.text.utf8))["token"]?.string)
        #expect(service.credentials.issuer.count == 1)
        let listing = try signer("ST$" + token, key).request("GET", "/20231130/models?compartmentId=\(account.tenancy)")
        #expect(service.answer(listing).script.status == 200)
        #expect(service.answer(listing).account == account.id)
    }

    @Test func `The exchange is refused when anything is wrong`() throws {
        #expect(try exchange(signing: TestSigner.postHeaders).status == 401)
        #expect(try exchange(signing: ["date", "(request-target)"]).status == 401)
        #expect(try exchange(fingerprint: "00:11").status == 401)
        #expect(try exchange(with: key).status == 401)
        #expect(try exchange { $0["certificate"] = "AAAA" }.status == 400)
        #expect(try exchange { $0["intermediateCertificates"] = [] }.status == 400)
        #expect(try exchange { $0["publicKey"] = "-----BEGIN PUBLIC KEY-----" }.status == 400)
        #expect(try exchange { $0["purpose"] = "OTHER" }.status == 400)
        #expect(service.credentials.issuer.count == 0)
    }

    // MARK: OKE

    private func workload(_ authorization: String = "Bearer simulated-service-account", id: Bool = true) throws -> (
        status: Int, text: String
    ) {
        let body: JSON = ["podKey": .string(try publicKey())]
        var headers = [
            (name: "authorization", value: authorization), (name: "content-type", value: "application/json"),
        ]
        if id { headers.append((name: "opc-request-id", value: "x")) }
        return read(
            service.answer(
                SignedRequest(
                    method: "POST", target: "/resourcePrincipalSessionTokens", headers: headers, body: body.bytes)
            ).script)
    }

    @Test func `A service account is exchanged for a token`() throws {
        let answer = try workload()
        #expect(answer.status == 200)
        let json = try JSONParser.parse(Array(try #require(Data(base64Encoded: answer.text))))
        let keyID = try #require(json["token"]?.string)
        #expect(keyID.hasPrefix("ST$"))
        #expect(
            service.answer(try signer(keyID, key).request("GET", "/20231130/models?compartmentId=\(account.tenancy)"))
                .script.status == 200)
        #expect(try workload("Bearer other").status == 401)
        #expect(try workload(id: false).status == 400)
    }

    // MARK: Tokens

    @Test func `A token serves its own key only and not forever`() throws {
        let issuer = service.credentials.issuer
        let session = try RSAPublicKey(privatePEM: key)
        func status(_ token: String, _ privateKey: String) throws -> Int {
            let request = try signer("ST$" + token, privateKey).request(
                "GET", "/20231130/models?compartmentId=\(account.tenancy)")
            return service.answer(request).script.status
        }
        let token = issuer.issue(to: account, key: session, now: now)
        #expect(try status(token, key) == 200)
        #expect(try status(token, try #require(account.privateKeyPEM)) == 401)
        #expect(try status(token + "x", key) == 401)
        #expect(try status(issuer.issue(to: account, key: session, now: now - 3600), key) == 401)
        #expect(service.log.records.last?.refusal == "the token expired 0 s ago")
        #expect(try status(issuer.issue(to: account, key: session, now: now - 3599), key) == 200)
        issuer.revokeAll()
        #expect(try status(token, key) == 401)
    }

    @Test func `The claims say when a token ends`() throws {
        let token = service.credentials.issuer.issue(to: account, key: try RSAPublicKey(privatePEM: key), now: now)
        var payload = String(token.split(separator: ".")[1]).replacing("-", with: "+").replacing("_", with: "/")
        while payload.utf8.count % 4 != 0 { payload += "=" }
        let claims = try JSONParser.parse(Array(try #require(Data(base64Encoded: payload))))
        #expect(claims["exp"]?.integer == now + 3600)
        #expect(claims["res_tenant"]?.string == account.tenancy)
    }
}
