/// Where the tokens of an account come from.
protocol TokenSource: Sendable {
    /// When a token is to be replaced.
    var renewal: TokenRenewal { get }

    /// Gets a token, over the network or from files. May take seconds and much CPU (a fresh RSA key), so it runs on the
    /// concurrency pool, never in an actor.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: `CredentialFailure`, `CancellationError`.
    func fetch(at now: Int64) async throws -> SessionToken

    /// Whether the next two look at files, and may hang with their file system (`FileWork`).
    var readsFiles: Bool { get }

    /// `fetch` for a source that has nothing but files; nil for others.
    func fetchFromFiles(at now: Int64) -> Result<SessionToken, CredentialFailure>?

    /// Whether what the token was made from has changed since.
    func hasChanged(since token: SessionToken) -> Bool

    /// The files that a token is made from, as they are now; empty when there are none.
    var stamps: [FileStamp] { get }
}

/// One that has nothing but files: it takes what it finds there, at once.
protocol FileTokenSource: TokenSource {
    /// - Throws: `CredentialFailure`.
    func fetch(at now: Int64) throws(CredentialFailure) -> SessionToken
}

extension FileTokenSource {
    var readsFiles: Bool { true }

    func fetchFromFiles(at now: Int64) -> Result<SessionToken, CredentialFailure>? {
        do throws(CredentialFailure) { return .success(try fetch(at: now)) } catch { return .failure(error) }
    }
}

extension TokenSource {
    var readsFiles: Bool { false }
    func fetchFromFiles(at now: Int64) -> Result<SessionToken, CredentialFailure>? { nil }
    func hasChanged(since token: SessionToken) -> Bool { false }
    var stamps: [FileStamp] { [] }
}

/// When a token is replaced.
enum TokenRenewal: Sendable, Equatable {
    /// A minute before it expires, or up to five minutes before, so that many proxies do not ask at once (OCI wire notes 1.7).
    case beforeExpiry
    /// At half of its life (OCI wire notes 1.9).
    case halfway

    /// - Parameters:
    ///   - now: when it was fetched. Both in seconds since 1970.
    ///   - jitter: 0 ..< 1.
    /// - Returns: the second from which on it is to be replaced. Never in the first half of its life, else a short-lived token
    ///   would be fetched again and again.
    func instant(fetchedAt now: Int64, expiry: Int64, jitter: Double) -> Int64 {
        let lifetime = max(expiry - now, 0)
        let half = lifetime / 2
        return switch self {
        case .halfway: now + half
        case .beforeExpiry: expiry - min(60 + Int64(240 * jitter), lifetime - half)
        }
    }
}
