import FoundationEssentials
import Synchronization

/// The services that give out credentials, for the first account: the metadata service of an instance, the auth service, and
/// the token service of an OKE cluster. All of them answer on the common port; their paths tell them apart.
package final class CredentialServices: Sendable {
    package let issuer: TokenIssuer
    private let configuration: SimulatorConfiguration
    private let identity = Mutex<InstanceIdentity?>(nil)

    package init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
        issuer = TokenIssuer(lifetime: configuration.tokenLifetime)
    }

    /// Which service a path belongs to; nil for inference and management.
    package func kind(of target: String) -> RequestKind? {
        if target.hasPrefix("/opc/") { return .metadata }
        switch target {
        case "/v1/x509", "/resourcePrincipalSessionTokens": return .token
        default: return nil
        }
    }

    /// Answers a request of such a kind. The refusal is for the record: more words than the answer has.
    package func answer(_ request: SignedRequest) -> (script: ReplyScript, refusal: String?) {
        do throws(Refusal) {
            guard let account = configuration.accounts.first else { throw Refusal(.notFound, "there is no account") }
            switch request.target {
            case "/v1/x509": return (try exchangeCertificate(request, account), nil)
            case "/resourcePrincipalSessionTokens": return (try exchangeServiceAccount(request, account), nil)
            default: return (try metadata(request, account), nil)
            }
        } catch {
            return (.error(error.error), error.detail)
        }
    }

    private struct Refusal: Error {
        let error: ServiceError
        let detail: String

        init(_ error: ServiceError, _ detail: String) {
            self.error = error
            self.detail = detail
        }
    }

    // MARK: Metadata service

    private func metadata(_ request: SignedRequest, _ account: SimulatedAccount) throws(Refusal) -> ReplyScript {
        guard request.method == "GET" else { throw Refusal(.methodNotAllowed, "\(request.method) \(request.target)") }
        guard request.all("authorization") == ["Bearer Oracle"] else {
            throw Refusal(.notAuthenticated, "the metadata service wants 'Authorization: Bearer Oracle'")
        }
        switch request.target {
        case "/opc/v2/instance/region": return text(account.region)
        case "/opc/v2/instance/regionInfo":
            return .json(
                200,
                [
                    "realmKey": "oc1", "realmDomainComponent": "oraclecloud.com", "regionKey": "XXX",
                    "regionIdentifier": .string(account.region),
                ])
        case "/opc/v2/identity/cert.pem": return text(try instance(account).certificate)
        case "/opc/v2/identity/key.pem": return text(try instance(account).privateKey)
        case "/opc/v2/identity/intermediate.pem": return text(try instance(account).intermediate)
        default: throw Refusal(.notFound, "no such metadata")
        }
    }

    private func text(_ text: String) -> ReplyScript {
        ReplyScript(headers: [("content-type", "text/plain")], form: .whole(body: Array(text.utf8), cutTo: nil))
    }

    /// Made when it is first asked for, as it takes two RSA keys.
    private func instance(_ account: SimulatedAccount) throws(Refusal) -> InstanceIdentity {
        let result = identity.withLock { identity in
            Result<InstanceIdentity, KeyError> { () throws(KeyError) in
                if let identity { return identity }
                // Behind those of the accounts, which may come from the same pool.
                let keys = try RSAPrivateKeyPEM.pooled(count: configuration.accounts.count + 2).suffix(2)
                let made = try InstanceIdentity(
                    tenancy: account.tenancy, leafKey: keys[keys.startIndex], intermediateKey: keys[keys.startIndex + 1]
                )
                identity = made
                return made
            }
        }
        do {
            return try result.get()
        } catch {
            throw Refusal(ServiceError(500, error.description), error.description)
        }
    }

    // MARK: Auth service

    /// The headers under the signature, neither more nor less: no host.
    private static let signedHeaders: Set = [
        "date", "(request-target)", "content-length", "content-type", "x-content-sha256",
    ]

    private func exchangeCertificate(_ request: SignedRequest, _ account: SimulatedAccount) throws(Refusal)
        -> ReplyScript
    {
        let body = try body(of: request)
        let identity = try instance(account)
        let now = Int(configuration.now())
        do throws(SignatureRefusal) {
            let verifier = SignatureVerifier([])
            let authorization = try verifier.authorization(of: request)
            guard Set(authorization.signedHeaders) == Self.signedHeaders else {
                throw SignatureRefusal.malformedAuthorization(
                    "signed are \(authorization.signedHeaders), not exactly \(Self.signedHeaders.sorted())")
            }
            let keyID = "\(account.tenancy)/fed-x509/\(identity.fingerprint)"
            guard authorization.keyID == keyID else { throw SignatureRefusal.unknownKey(authorization.keyID) }
            try verifier.verify(authorization, by: identity.publicKey, of: request, now: now)
        } catch {
            throw Refusal(.notAuthenticated, error.description)
        }
        guard body["certificate"]?.string == InstanceIdentity.content(identity.certificate),
            body["intermediateCertificates"]?.array == [.string(InstanceIdentity.content(identity.intermediate))],
            [nil, "DEFAULT"].contains(body["purpose"]?.string)
        else {
            throw Refusal(
                .invalidParameter("Invalid certificate"), "certificate, intermediateCertificates or purpose is wrong")
        }
        let token = issuer.issue(to: account, key: try publicKey(body["publicKey"]), now: now)
        return .json(200, ["token": .string(token)])
    }

    // MARK: Token service of a cluster

    private func exchangeServiceAccount(_ request: SignedRequest, _ account: SimulatedAccount) throws(Refusal)
        -> ReplyScript
    {
        guard request.all("authorization") == ["Bearer \(configuration.serviceAccountToken)"] else {
            throw Refusal(ServiceError(401, "Unauthorized"), "the bearer is not the service account's token")
        }
        guard request.all("opc-request-id").count == 1, request.all("content-type") == ["application/json"] else {
            throw Refusal(.cannotParse, "opc-request-id or content-type is missing")
        }
        let body = try body(of: request)
        guard configuration.isEnhancedCluster else {
            throw Refusal(ServiceError(403, "Forbidden"), "the cluster is a basic one")
        }
        let token = issuer.issue(to: account, key: try publicKey(body["podKey"]), now: Int(configuration.now()))
        let answer: JSON = ["token": .string("ST$" + token)]
        return text(Data(answer.bytes).base64EncodedString())
    }

    // MARK: Bodies

    private func body(of request: SignedRequest) throws(Refusal) -> JSON {
        guard request.method == "POST" else { throw Refusal(.methodNotAllowed, "\(request.method) \(request.target)") }
        do {
            return try JSONParser.parse(request.body)
        } catch {
            throw Refusal(.cannotParse, "\(error.reason) at byte \(error.offset)")
        }
    }

    /// A public key without armour lines and newlines.
    private func publicKey(_ value: JSON?) throws(Refusal) -> RSAPublicKey {
        guard let text = value?.string, !text.contains("\n"), !text.contains("-") else {
            throw Refusal(
                .invalidParameter("Invalid public key"), "the public key is missing, or has armour lines or newlines")
        }
        do {
            return try RSAPublicKey(
                publicPEM: "-----BEGIN PUBLIC KEY-----\n\(text.wrapped)\n-----END PUBLIC KEY-----\n")
        } catch {
            throw Refusal(.invalidParameter("Invalid public key"), error.description)
        }
    }
}

extension SignedRequest {
    /// The values of a header, whatever the case of its name.
    func all(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }
}

extension String {
    /// In lines of 64 characters, as PEM has them.
    fileprivate var wrapped: String {
        let bytes = Array(utf8)
        return stride(from: 0, to: bytes.count, by: 64)
            .map { String(decoding: bytes[$0..<min($0 + 64, bytes.count)], as: UTF8.self) }
            .joined(separator: "\n")
    }
}
