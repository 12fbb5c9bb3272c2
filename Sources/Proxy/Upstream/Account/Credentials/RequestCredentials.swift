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
    /// - Parameter deadline: ends the wait for a new token.
    /// - Throws: `CredentialFailure`, `CancellationError`, `MovingDeadline.Exceeded`.
    func signer(until deadline: MovingDeadline? = nil) async throws -> RequestSigner? {
        switch self {
        case .key(let signer): signer
        case .token(let cache): try await bounded(by: deadline) { try await cache.signer() }
        case .bearer: nil
        }
    }

    /// The key that is shown instead of a signature.
    var bearerKey: Secret? { if case .bearer(let key) = self { key } else { nil } }

    /// The service has answered 401. Whether it makes sense to sign the request anew and send it once more.
    ///
    /// - Parameters:
    ///   - authorization: the header of the refused request.
    ///   - deadline: ends the wait for a new token.
    /// - Throws: `CancellationError`, `MovingDeadline.Exceeded`.
    func renew(after authorization: String, until deadline: MovingDeadline? = nil) async throws -> Bool {
        switch self {
        case .key, .bearer: false
        case .token(let cache): try await bounded(by: deadline) { try await cache.renew(after: authorization) }
        }
    }

    private func bounded<Success: Sendable>(
        by deadline: MovingDeadline?,
        _ operation: nonisolated(nonsending) @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        guard let deadline else { return try await operation() }
        return try await withDeadline(deadline, operation)
    }
}
