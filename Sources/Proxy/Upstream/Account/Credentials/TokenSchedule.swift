/// Decides when a token is fetched and which one may be used. Without I/O; the cache asks it and acts.
///
/// The old token stays in use until it expires, whatever becomes of the attempts to replace it.
struct TokenSchedule: Sendable {
    /// The two times that count: tokens end by the calendar, pauses are waited for by the clock.
    struct Moment: Sendable {
        /// Seconds since 1970.
        var wall: Int64
        var now: Duration
    }

    /// The shortest time between two fetches because of a refused token. A service that refuses each new token as well must not
    /// be asked for one by each request.
    static let forcedInterval = Duration.seconds(30)
    static let longestPause = Duration.seconds(60)

    private(set) var token: SessionToken?
    private(set) var isFetching = false
    /// Of the last fetch; nil when it succeeded.
    private(set) var failure: CredentialFailure?
    private let renewal: TokenRenewal
    private var renewAt: Int64?
    /// What the token was made from has changed.
    private var isOutdated = false
    private var failures = 0
    private var retryAt = Duration.zero
    private var forcedAt: Duration?

    init(_ renewal: TokenRenewal) {
        self.renewal = renewal
    }

    /// The token, unless it has expired.
    func usable(at instant: Moment) -> SessionToken? {
        guard let token else { return nil }
        if let expiry = token.expiry, expiry <= instant.wall { return nil }
        return token
    }

    /// Whether a fetch should begin now.
    func isDue(at instant: Moment) -> Bool {
        guard !isFetching, instant.now >= retryAt else { return false }
        guard token != nil, !isOutdated else { return true }
        return renewAt.map { instant.wall >= $0 } ?? false
    }

    /// Takes note that the token's origin has changed, which is a reason to fetch without delay.
    mutating func noteChange() {
        guard !isOutdated else { return }
        isOutdated = true
        retryAt = .zero
    }

    /// Takes note that the token's origin has changed since the last fetch failed: there is something new to try, whatever the pause.
    mutating func noteRepair() {
        isOutdated = true
        retryAt = .zero
    }

    /// Whether a fetch because of a refusal may begin now, and takes note of it if so.
    mutating func force(at instant: Moment) -> Bool {
        if let forcedAt, instant.now < forcedAt + Self.forcedInterval { return false }
        forcedAt = instant.now
        return true
    }

    /// A fetch has begun.
    mutating func began() { isFetching = true }

    /// A fetch has ended.
    ///
    /// - Parameter jitter: 0 ..< 1.
    mutating func ended(_ result: Result<SessionToken, CredentialFailure>, at instant: Moment, jitter: Double) {
        isFetching = false
        switch result {
        case .success(let new):
            if let expiry = new.expiry, expiry <= instant.wall {
                fail(
                    CredentialFailure("the new token is already expired", fix: "check this machine's clock"),
                    at: instant, jitter: jitter)
                return
            }
            token = new
            renewAt = new.expiry.map { renewal.instant(fetchedAt: instant.wall, expiry: $0, jitter: jitter) }
            isOutdated = false
            failure = nil
            failures = 0
            retryAt = .zero
        case .failure(let failure): fail(failure, at: instant, jitter: jitter)
        }
    }

    private mutating func fail(_ failure: CredentialFailure, at instant: Moment, jitter: Double) {
        self.failure = failure
        failures += 1
        let pause = min(Duration.seconds(1 << min(failures - 1, 6)), Self.longestPause)
        retryAt = instant.now + pause * (0.75 + jitter / 2)
    }
}
