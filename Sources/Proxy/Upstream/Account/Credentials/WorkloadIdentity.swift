import NIOCore
import NIOHTTP1

/// The credentials of a pod in an OKE cluster: its service account's token is exchanged for one of OCI (OCI wire notes 1.9).
struct WorkloadIdentity: TokenSource {
    let settings: WorkloadIdentitySettings
    /// Trusts the cluster's authority.
    let transport: any HTTPTransport

    var renewal: TokenRenewal { .halfway }

    private static let podFix =
        "use auth = oke_workload_identity only in a pod of an OKE cluster with a service account"

    func fetch(at now: Int64) async throws -> SessionToken {
        // Kubernetes replaces it now and then, so it is read for each exchange.
        let path = settings.serviceAccountToken
        let account = try await FileWork.credentials.run(within: .seconds(10), on: .system) {
            Result { try CredentialFile.read(path, what: "the service account's token", fix: Self.podFix) }
        }.get()
        let bearer = String(decoding: account, as: UTF8.self).filter { !$0.isWhitespace }
        guard !bearer.isEmpty, bearer.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CredentialFailure("the file \(settings.serviceAccountToken) contains no token", fix: Self.podFix)
        }
        let key = try PrivateKey.session()
        let headers: HTTPHeaders = [
            "authorization": "Bearer \(bearer)", "content-type": "application/json", "accept": "application/json",
            "opc-request-id": RequestID.randomHex(), "user-agent": "ociai-proxy/\(ProxyVersion.current)",
        ]
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("podKey")
        writer.string(key.publicKey)
        writer.endObject()
        let answer = try await CredentialService(name: "the token service of the cluster", transport: transport).body(
            of: TransportRequest(
                method: .POST, url: settings.service + "/resourcePrincipalSessionTokens", headers: headers,
                body: ByteBuffer(bytes: writer.bytes)),
            fix: Self.podFix,
            refusalFix: { status in
                switch status {
                case 403: "upgrade to an enhanced cluster; basic clusters have no workload identity"
                case 401: "check that the pod's service account exists and that its token is mounted"
                default: "try again"
                }
            })
        guard let token = Self.token(in: answer) else {
            throw CredentialFailure("the token service of the cluster returned no token", fix: "try again")
        }
        return try SessionToken(token, key: key, source: "the response of the cluster's token service")
    }

    /// The token of an answer: base64 of `{"token":"ST$..."}`, perhaps as a JSON string.
    static func token(in answer: [UInt8]) -> String? {
        let text = (try? JSONDocument(parsing: answer).root.string).map { Array($0.utf8) } ?? answer
        guard let json = Base64.decode(text) else { return nil }
        return try? JSONDocument(parsing: json).root["token"]?.string
    }
}
