import ProxyRouting
import Synchronization

/// What the attempts of one request have in common.
struct RoutedRequest: Sendable {
    /// The upstreams that may serve it, by their index in the router's list.
    var accepts: UpstreamSet
    /// The model's id there.
    var model: String
    var arrival: Duration
    /// Until when a permit is waited for, pauses are made, and attempts begin. The attempts bound themselves.
    var deadline: Duration
    /// Its time goes to the first event, and not to the end.
    var isStreaming = false
    /// Whose it is: the name of the client's key.
    var client = ""
    /// What it shares with its fallbacks; nil when it has none.
    var history: RequestHistory?
    /// Where it is noted what becomes of it.
    var trace: RequestTrace?
    /// What its key may still use; nil for who has none. Without a default, so that nobody forgets it.
    var charge: RequestCharge?
    /// What it may use.
    var estimate: CallEstimate
    /// What it is charged by, where somebody counts.
    var pricing: Pricing?
    /// Of the calls that the request makes side by side.
    var call = 0
    /// It goes on where another upstream has failed, and draws on the retry budget from the first attempt on.
    var isRetry = false
    /// What it has met in an answer that has broken off.
    var earlier: EarlierFailures?

    init(
        accepts: UpstreamSet, model: String, arrival: Duration, deadline: Duration, isStreaming: Bool = false,
        client: String = "", history: RequestHistory? = nil, trace: RequestTrace? = nil, call: Int = 0,
        isRetry: Bool = false, earlier: EarlierFailures? = nil, charge: RequestCharge?, estimate: CallEstimate,
        pricing: Pricing? = nil
    ) {
        self.accepts = accepts
        self.model = model
        self.arrival = arrival
        self.deadline = deadline
        self.isStreaming = isStreaming
        self.client = client
        self.history = history
        self.trace = trace
        self.call = call
        self.isRetry = isRetry
        self.earlier = earlier
        self.charge = charge
        self.estimate = estimate
        self.pricing = pricing
    }
}

/// What a request has met at upstreams, whichever model it asked them for.
final class RequestHistory: Sendable {
    private let counted = Mutex(UpstreamSet())

    /// Those that it has counted against.
    var countedUpstreams: UpstreamSet { counted.withLock { $0 } }

    func note(_ upstreams: UpstreamSet) { counted.withLock { $0 = upstreams } }
}

/// How requests move on from one upstream to the next.
struct Failover: Sendable {
    let router: Router
    /// Further attempts after the first.
    let retryAttempts: Int
    var random: @Sendable () -> Double = { .random(in: 0..<1) }

    /// For who makes them by themselves.
    func attempts(of request: RoutedRequest) -> Attempts { Attempts(of: request, by: self) }

    /// Calls `attempt` with one upstream after the other until one succeeds, the failure is the request's own, a part of the
    /// answer has reached the client, or nothing is left to try.
    ///
    /// Permits are held while `attempt` runs, and given back whatever ends it.
    ///
    /// - Throws: `Failure`; `CancellationError` when the client has left.
    nonisolated(nonsending) func run<Success>(
        _ request: RoutedRequest, _ attempt: nonisolated(nonsending) (Upstream, AttemptReport) async throws -> Success
    ) async throws -> Success {
        let begun = try await begin(request, attempt)
        await begun.attempt.end()
        return begun.success
    }

    /// The same for an answer that goes on when `attempt` has returned: then no other upstream can take its place. The permit is held until
    /// the caller ends what has begun.
    nonisolated(nonsending) func begin<Success>(
        _ request: RoutedRequest, _ attempt: nonisolated(nonsending) (Upstream, AttemptReport) async throws -> Success
    ) async throws -> (success: Success, attempt: Attempt) {
        let attempts = attempts(of: request)
        while true {
            let next = try await attempts.next()
            do {
                let success = try await attempt(next.upstream, next.report)
                await next.begun()
                return (success, next)
            } catch {
                try await attempts.failed(next, with: error)
            }
        }
    }
}
