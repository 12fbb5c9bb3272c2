import Logging
import ProxyRouting

/// Keeps the token of one account and replaces it in time, with one fetch at a time.
///
/// Nobody waits while the token in hand is valid: whoever finds it due starts the fetch and goes on with it. Health checks make
/// that happen without any client as well. Without a valid token requests wait for the fetch that is running, and fail at once
/// while the pause after a failed one lasts.
actor TokenCache {
    /// How long a fetch may take in all.
    static let fetchTimeout = Duration.seconds(30)
    /// How long a look at files may take.
    private static let lookTimeout = Duration.seconds(2)
    /// How often files are looked at.
    static let lookInterval = Duration.seconds(1)

    private let account: String
    private let source: any TokenSource
    private let time: TimeSource
    private let random: @Sendable () -> Double
    private let logger: Logger
    private var schedule: TokenSchedule
    private var nextLook = Duration.zero
    /// The files as they were when the last fetch began. When it failed, another look at them is another chance: whoever mends them
    /// must not wait for the pause to end.
    private var attempted: [FileStamp] = []
    private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var nextWaiter: UInt64 = 0

    init(
        account: String, source: any TokenSource, time: TimeSource,
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        logger: Logger
    ) {
        self.account = account
        self.source = source
        self.time = time
        self.random = random
        self.logger = logger
        schedule = TokenSchedule(source.renewal)
    }

    /// The signer to use now.
    ///
    /// - Throws: `CredentialFailure` when there is no valid token and none can be had; `CancellationError`.
    func signer() async throws -> RequestSigner {
        await lookForChange()
        if schedule.isDue(at: instant) { fetch() }
        if let token = schedule.usable(at: instant) { return token.signer }
        if schedule.isFetching { try await fetchEnd() }
        if let token = schedule.usable(at: instant) { return token.signer }
        throw schedule.failure ?? CredentialFailure("the token has expired", fix: "try again")
    }

    /// The service has answered 401 to a request. Fetches another token, unless that has happened meanwhile or just now.
    ///
    /// - Parameter authorization: the header of that request.
    /// - Returns: whether the request may be sent once more, signed with another token.
    /// - Throws: `CancellationError`.
    func renew(after authorization: String) async throws -> Bool {
        guard let refused = schedule.token, refused.signer.made(authorization) else {
            return schedule.usable(at: instant) != nil
        }
        if !schedule.isFetching {
            let source = source
            let hasChanged = await look { source.hasChanged(since: refused) } ?? false
            // Another may have come while we looked.
            if let token = schedule.usable(at: instant), token.signer.keyID != refused.signer.keyID { return true }
            guard schedule.isFetching || hasChanged || schedule.force(at: instant) else { return false }
        }
        if !schedule.isFetching {
            logger.notice("OCI rejected the token, fetching a new one", metadata: ["account": "\(account)"])
            fetch()
        }
        try await fetchEnd()
        return schedule.usable(at: instant).map { $0.signer.keyID != refused.signer.keyID } ?? false
    }

    /// Whether a fetch is running.
    var isFetching: Bool { schedule.isFetching }

    private var instant: TokenSchedule.Moment { .init(wall: time.wallClock(), now: time.now()) }

    private func lookForChange() async {
        let now = time.now()
        guard now >= nextLook, !schedule.isFetching else { return }
        nextLook = now + Self.lookInterval
        let source = source
        if schedule.failure != nil {
            let attempted = attempted
            if await look({ attempted.contains(where: \.isOutdated) }) == true { schedule.noteRepair() }
        } else if let token = schedule.token, await look({ source.hasChanged(since: token) }) == true {
            schedule.noteChange()
        }
    }

    /// A look at the source's files, which may hang.
    ///
    /// - Returns: nil when it does.
    private func look<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        source.readsFiles ? try? await FileWork.credentials.run(within: Self.lookTimeout, on: time, body) : body()
    }

    // MARK: Fetching

    /// Begins a fetch. A task of its own, since whoever began it may leave while others wait for it; its time is bounded.
    private func fetch() {
        schedule.began()
        let source = source
        Task {
            attempted = await look { source.stamps } ?? []
            let result = await Self.fetch(from: source, time)
            end(result)
        }
    }

    private func end(_ result: Result<SessionToken, CredentialFailure>) {
        let had = schedule.usable(at: instant) != nil
        schedule.ended(result, at: instant, jitter: random())
        if let failure = schedule.failure {
            logger.log(
                level: had ? .warning : .error, "Token refresh failed\(had ? ", the old token stays in use" : "")",
                metadata: ["account": "\(account)", "error": "\(failure)"])
        } else {
            logger.debug("Token refreshed", metadata: ["account": "\(account)"])
        }
        let served = waiters.values
        waiters.removeAll()
        for waiter in served { waiter.resume() }
    }

    /// Off the actor: RSA and files take their time.
    private nonisolated static func fetch(from source: any TokenSource, _ time: TimeSource) async -> Result<
        SessionToken, CredentialFailure
    > {
        do {
            let deadline = MovingDeadline(at: time.now() + fetchTimeout, for: .request, on: time)
            return try await withDeadline(deadline) {
                let now = time.wallClock()
                guard source.readsFiles else { return .success(try await source.fetch(at: now)) }
                let read = try await FileWork.credentials.run(within: fetchTimeout, on: time) {
                    source.fetchFromFiles(at: now)
                }
                if let read { return read }
                return .success(try await source.fetch(at: now))
            }
        } catch let failure as CredentialFailure {
            return .failure(failure)
        } catch is FileWork.Overdue {
            return .failure(
                CredentialFailure(
                    "the token files could not be read in time",
                    fix: "check the disk or network drive that they are on"))
        } catch is MovingDeadline.Exceeded {
            return .failure(
                CredentialFailure(
                    "no token was received within \(fetchTimeout.components.seconds) s", fix: "check the network")
            )
        } catch {
            return .failure(CredentialFailure("the token request was cancelled", fix: "try again"))
        }
    }

    /// Returns when the fetch that is running has ended.
    private func fetchEnd() async throws {
        nextWaiter += 1
        let id = nextWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return waiter.resume(throwing: CancellationError()) }
                waiters[id] = waiter
            }
        } onCancel: {
            Task { await self.abandon(id) }
        }
    }

    private func abandon(_ id: UInt64) {
        waiters.removeValue(forKey: id)?.resume(throwing: CancellationError())
    }
}
