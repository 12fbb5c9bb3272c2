import ProxyRouting
import Synchronization

/// What the attempts of one request have in common.
///
/// A class, so that all of them hold one reference.
final class RoutedRequest: Sendable {
    /// The upstreams that may serve it, by their index in the router's list.
    let accepts: UpstreamSet
    /// The model's id there.
    let model: String
    let arrival: Duration
    /// Until when a permit is waited for, pauses are made, and attempts begin. The attempts bound themselves.
    let deadline: Duration
    /// Its time goes to the first event, and not to the end.
    let isStreaming: Bool
    /// Whose it is: the name of the client's key.
    let client: String
    /// What it shares with its fallbacks; nil when it has none.
    let history: RequestHistory?
    /// Where it is noted what becomes of it.
    let trace: RequestTrace?
    /// What its key may still use; nil where that is not limited. Without a default, so that nobody forgets it.
    let charge: RequestCharge?
    /// What it may use.
    let estimate: CallEstimate
    /// What it is charged by, where somebody counts.
    let pricing: Pricing?
    /// Of the calls that the request makes side by side.
    let call: Int
    /// It goes on where another upstream has failed, and draws on the retry budget from the first attempt on.
    let isRetry: Bool
    /// What it has met in an answer that has broken off.
    let earlier: EarlierFailures?

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
    /// Told what answers say of models that will go.
    var retirements: ModelRetirements?
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
