import NIOCore
import NIOHTTP1

/// The credentials of a compute instance: its certificate, from the metadata service, is exchanged at the auth service for a
/// token (OCI wire notes 1.7).
struct InstancePrincipal: TokenSource {
    let places: InstancePrincipalSettings
    let transport: any HTTPTransport
    let time: TimeSource

    var renewal: TokenRenewal { .beforeExpiry }

    func fetch(at now: Int64) async throws -> SessionToken {
        let metadata = try await reachableMetadata()
        let certificate = try await get("identity/cert.pem", from: metadata)
        let leafKey: PrivateKey
        do {
            leafKey = try PrivateKey(pem: try await get("identity/key.pem", from: metadata), passPhrase: nil)
        } catch let error as PrivateKeyError {
            throw CredentialFailure(
                "the instance's key cannot be used: \(error.reason)",
                fix: "try again; the metadata service replaces it from time to time")
        }
        let intermediate = try await get("identity/intermediate.pem", from: metadata)
        let leaf = try LeafCertificate(pem: certificate)
        let sessionKey = try PrivateKey.session()
        let body = Self.exchange(certificate: certificate, intermediate: intermediate, publicKey: sessionKey.publicKey)
        let signer = RequestSigner(keyID: leaf.keyID, key: leafKey, signsHost: false)
        let token = try await self.token(for: body, signer: signer, at: metadata.auth)
        return try SessionToken(token, key: sessionKey, source: "the response of the auth service")
    }

    // MARK: Metadata

    private struct Metadata {
        let base: String
        /// Base URL of the auth service.
        let auth: String
    }

    /// The first metadata service that there is a way to, and what it says about the instance's region.
    private func reachableMetadata() async throws -> Metadata {
        var failure = CredentialFailure(
            "no address of the instance metadata service is known", fix: "set OCI_METADATA_BASE_URL")
        for base in places.metadata {
            do {
                if let auth = places.auth { return Metadata(base: base, auth: auth) }
                return Metadata(
                    base: base,
                    auth: try Self.authEndpoint(regionInfo: try await get("instance/regionInfo", from: base)))
            } catch let error as CredentialFailure {
                failure = error
            }
        }
        throw failure
    }

    /// `https://auth.{region}.{realm domain}` of the answer of `/instance/regionInfo`.
    static func authEndpoint(regionInfo: [UInt8]) throws(CredentialFailure) -> String {
        let root = try? JSONDocument(parsing: regionInfo).root
        guard let region = root?["regionIdentifier"]?.string, let domain = root?["realmDomainComponent"]?.string,
            RegionTable.isWellFormed(region), HostName.isName(domain)
        else {
            throw CredentialFailure(
                "the instance metadata service returned no region", fix: "try again")
        }
        return "https://auth.\(region).\(domain)"
    }

    private func get(_ path: String, from metadata: Metadata) async throws -> [UInt8] {
        try await get(path, from: metadata.base)
    }

    private func get(_ path: String, from base: String) async throws -> [UInt8] {
        let headers: HTTPHeaders = [
            "authorization": "Bearer Oracle", "accept": "*/*", "user-agent": "ociai-proxy/\(ProxyVersion.current)",
        ]
        return try await CredentialService(name: "the instance metadata service", transport: transport).body(
            of: TransportRequest(method: .GET, url: "\(base)/\(path)", headers: headers),
            fix: "use auth = instance_principal on OCI compute instances only",
            refusalFix: { _ in "check that version 2 of the instance metadata service is enabled" })
    }

    // MARK: Auth service

    /// The body of `POST /v1/x509`.
    static func exchange(certificate: [UInt8], intermediate: [UInt8], publicKey: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("certificate")
        writer.string(PEMContent.blocks(of: certificate).first ?? "")
        writer.key("publicKey")
        writer.string(publicKey)
        writer.key("intermediateCertificates")
        writer.beginArray()
        for block in PEMContent.blocks(of: intermediate) { writer.string(block) }
        writer.endArray()
        writer.key("purpose")
        writer.string("DEFAULT")
        writer.endObject()
        return writer.bytes
    }

    private func token(for body: [UInt8], signer: RequestSigner, at base: String) async throws -> String {
        var headers = HTTPHeaders()
        do {
            let target = HTTPTarget(of: base + "/v1/x509")
            for (name, value) in try signer.sign(
                method: "POST", authority: target.authority, target: target.path, date: time.wallClock(), body: body)
            {
                headers.add(name: name, value: value)
            }
        } catch {
            throw CredentialFailure("the request to the auth service could not be signed", fix: error.fix)
        }
        headers.add(name: "accept", value: "application/json")
        headers.add(name: "user-agent", value: "ociai-proxy/\(ProxyVersion.current)")
        let answer = try await CredentialService(name: "the auth service", transport: transport).body(
            of: TransportRequest(
                method: .POST, url: base + "/v1/x509", headers: headers, body: ByteBuffer(bytes: body)),
            fix: "allow the instance to reach it, directly or through a service gateway",
            refusalFix: {
                $0 == 401
                    ? "check this machine's clock; a new certificate may take a minute to become valid"
                    : "try again"
            })
        guard let token = try? JSONDocument(parsing: answer).root["token"]?.string else {
            throw CredentialFailure("the auth service returned no token", fix: "try again")
        }
        return token
    }
}

/// The two parts of an absolute URL that a signature needs.
struct HTTPTarget: Equatable {
    /// Host, and port when the URL names one.
    let authority: String
    /// Path and query; at least `/`.
    let path: String

    init(of url: String) {
        let text = url.utf8
        var start = text.startIndex
        if let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) {
            start = text.index(colon, offsetBy: 3)
        }
        let slash = text[start...].firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        authority = String(url[start..<slash])
        path = slash == text.endIndex ? "/" : String(url[slash...])
    }
}
