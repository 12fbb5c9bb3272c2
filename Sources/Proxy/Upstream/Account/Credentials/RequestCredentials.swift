/// What an account shows with each request.
enum RequestCredentials: Sendable {
    /// An API signing key, which never changes: no actor stands in the way.
    case key(RequestSigner)
    /// A token, which is replaced in time.
    case token(TokenCache)
    /// A Generative AI API key, shown as it is; nothing is signed (OCI wire notes, 7).
    case bearer(Secret)

    /// The signer to use now; nil for one who shows a key.
    ///
    /// - Throws: `CredentialFailure`, `CancellationError`.
    func signer() async throws -> RequestSigner? {
        switch self {
        case .key(let signer): signer
        case .token(let cache): try await cache.signer()
        case .bearer: nil
        }
    }

    /// The key that is shown instead of a signature.
    var bearerKey: Secret? { if case .bearer(let key) = self { key } else { nil } }

    /// The service has answered 401. Whether it makes sense to sign the request anew and send it once more.
    ///
    /// - Parameter authorization: the header of the refused request.
    /// - Throws: `CancellationError`.
    func renew(after authorization: String) async throws -> Bool {
        switch self {
        case .key, .bearer: false
        case .token(let cache): try await cache.renew(after: authorization)
        }
    }
}
