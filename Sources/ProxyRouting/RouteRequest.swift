/// What a request asks of the router, once per attempt.
package struct RouteRequest: Sendable {
    /// Its place among all requests, by arrival. It keeps it over its attempts.
    package struct Ticket: Hashable, Comparable, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static func < (one: Ticket, other: Ticket) -> Bool { one.rawValue < other.rawValue }
    }

    /// On what terms it takes an upstream. Requests on the same terms are equals: who of them is served is a question of turn alone.
    package struct Terms: Hashable, Sendable {
        /// The upstreams that may serve it.
        package var accepts: UpstreamSet
        /// The model's id there.
        package var model: String
        /// Those among them that have failed it before: asking them again draws on the retry budget.
        package var haveFailed = UpstreamSet()
        /// It has been tried before, anywhere.
        package var isRetry = false

        package init(accepts: UpstreamSet, model: String = "") {
            self.accepts = accepts
            self.model = model
        }
    }

    package let ticket: Ticket
    package var terms: Terms
    /// When its answer, or the first event of it, has to be there.
    package let deadline: Duration
    /// The time that it had in all when it came.
    package let allowance: Duration
    /// Its time goes to the first event, and not to the end.
    package let isStreaming: Bool
    /// Whose it is: the name of the client's key. Those who wait are served in rounds by it.
    package let client: String
    /// Upstreams at which it has counted against the model.
    package var countedModels = UpstreamSet()
    /// Upstreams that it has counted against, whatever the model.
    package var countedUpstreams = UpstreamSet()

    package init(
        ticket: Ticket, terms: Terms, deadline: Duration, allowance: Duration = .seconds(300),
        isStreaming: Bool = false, client: String = ""
    ) {
        self.ticket = ticket
        self.terms = terms
        self.deadline = deadline
        self.allowance = allowance
        self.isStreaming = isStreaming
        self.client = client
    }
}

/// Why the router has no upstream for a request.
package enum RouteRefusal: Error, Equatable, Sendable {
    /// None of the accepted upstreams is in use at the moment.
    case unavailable(Outlook)
    /// Those that are left have failed, and enough is being retried already.
    case retryBudgetSpent
    /// Too many are waiting. Seconds after which it may be better.
    case queueFull(retryAfter: Int)
    /// No permit comes, or came, in time for a usual answer. Seconds as above.
    case queueTimeout(retryAfter: Int)
    /// The task was cancelled while it waited.
    case cancelled

    /// What is known about upstreams that are all out of use.
    package struct Outlook: Equatable, Sendable {
        /// When the first of them may be used again; nil when nobody knows.
        package var earliest: Duration?
        /// All of them are cooling down after 429.
        package var isThrottled: Bool

        package init(earliest: Duration?, isThrottled: Bool) {
            self.earliest = earliest
            self.isThrottled = isThrottled
        }
    }
}
