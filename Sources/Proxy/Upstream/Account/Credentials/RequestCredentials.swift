/// What an account shows with each request.
enum RequestCredentials: Sendable {
    /// An API key, which never changes: no actor stands in the way.
    case key(RequestSigner)
    /// A token, which is replaced in time.
    case token(TokenCache)

    /// The signer to use now.
    ///
    /// - Throws: `CredentialFailure`, `CancellationError`.
    func signer() async throws -> RequestSigner {
        switch self {
        case .key(let signer): signer
        case .token(let cache): try await cache.signer()
        }
    }

    /// The service has answered 401. Whether it makes sense to sign the request anew and send it once more.
    ///
    /// - Parameter authorization: the header of the refused request.
    /// - Throws: `CancellationError`.
    func renew(after authorization: String) async throws -> Bool {
        switch self {
        case .key: false
        case .token(let cache): try await cache.renew(after: authorization)
        }
    }
}
