import ProxyRouting

/// How a service does at one moment. What has been counted is counted since `run()` began.
public struct ProxySnapshot: Sendable, Equatable {
    /// An account or a provider of the configuration.
    public struct Upstream: Sendable, Equatable {
        public enum Kind: String, Sendable {
            /// Of OCI.
            case account
            /// Speaks OpenAI's API.
            case provider
        }

        /// Whether requests are kept from it, for what has failed before.
        public enum Breaker: String, Sendable {
            /// All go there.
            case closed
            /// None goes there.
            case open
            /// One finds out how it does.
            case halfOpen = "half_open"
        }

        /// As the configuration names it; entries of a pool of providers are numbered.
        public let name: String
        public let kind: Kind
        /// By health checks and what has come of requests.
        public let isHealthy: Bool
        /// Its own, or that of its models when all of them rest.
        public let breaker: Breaker
        /// Requests that it works at.
        public let inFlight: Int
        public let totals: Totals
        /// Why it is never asked; nil when it is, or is switched off.
        public let problem: String?
    }

    /// Calls that were made, and tokens that they cost.
    public struct Totals: Sendable, Equatable {
        public var requests = 0
        public var succeeded = 0
        public var failed = 0
        /// Their client left, or another attempt answered.
        public var cancelled = 0
        public var promptTokens = 0
        public var completionTokens = 0
    }

    /// In the order of the file, accounts before providers. Empty before `run()` has begun.
    public let upstreams: [Upstream]
    /// Requests that upstreams work at.
    public let inFlight: Int
    /// Requests that wait for an upstream.
    public let waiting: Int

    /// Of all upstreams of the present configuration.
    public var totals: Totals {
        upstreams.reduce(into: Totals()) { sum, upstream in
            sum.requests += upstream.totals.requests
            sum.succeeded += upstream.totals.succeeded
            sum.failed += upstream.totals.failed
            sum.cancelled += upstream.totals.cancelled
            sum.promptTokens += upstream.totals.promptTokens
            sum.completionTokens += upstream.totals.completionTokens
        }
    }
}

extension ProxySnapshot {
    /// - Parameter snapshot: taken after `list` was put into service, so that it knows everybody there.
    init(_ list: AccountList, _ snapshot: Router.Snapshot) {
        self.init(
            upstreams: list.entries.map { entry in
                switch entry {
                case .serving(let index): return Upstream(at: index, in: snapshot)
                case .idle(let account): return Upstream(account)
                }
            }, inFlight: snapshot.permits.inUse, waiting: snapshot.waiting)
    }
}

extension ProxySnapshot.Upstream {
    fileprivate init(at index: Int, in snapshot: Router.Snapshot) {
        let (upstream, state) = snapshot.upstreams[index]
        self.init(
            name: upstream.id, kind: upstream.backend.kind == .oci ? .account : .provider,
            isHealthy: snapshot.isHealthy(index), breaker: Breaker(state.condition(at: snapshot.at).breaker),
            inFlight: state.permits.inUse, totals: ProxySnapshot.Totals(state.statistics), problem: nil)
    }

    fileprivate init(_ account: IdleAccount) {
        self.init(
            name: account.id, kind: .account, isHealthy: false, breaker: .closed, inFlight: 0, totals: .init(),
            problem: account.problem)
    }
}

extension ProxySnapshot.Upstream.Breaker {
    fileprivate init(_ state: CircuitBreaker.State) {
        self =
            switch state {
            case .closed: .closed
            case .open: .open
            case .halfOpen: .halfOpen
            }
    }
}

extension ProxySnapshot.Totals {
    fileprivate init(_ statistics: UpstreamStatistics) {
        self.init(
            requests: statistics.requests, succeeded: statistics.succeeded, failed: statistics.failed,
            cancelled: statistics.cancelled, promptTokens: statistics.promptTokens,
            completionTokens: statistics.completionTokens)
    }
}
