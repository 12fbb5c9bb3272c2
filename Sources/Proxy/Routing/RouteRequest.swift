/// What a request asks of the router, once per attempt.
package struct RouteRequest: Sendable {
    /// Its place among all requests, by arrival. It keeps it over its attempts.
    package struct Ticket: Hashable, Comparable, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static func < (one: Ticket, other: Ticket) -> Bool { one.rawValue < other.rawValue }
    }

    /// On what terms it takes an upstream. Requests on the same terms are equals: none of them overtakes another.
    package struct Terms: Hashable, Sendable {
        /// The upstreams that may serve it.
        package var accepts: UpstreamSet
        /// Those among them that have failed it before: asking them again draws on the retry budget.
        package var haveFailed = UpstreamSet()
        /// It has been tried before, anywhere.
        package var isRetry = false

        package init(accepts: UpstreamSet) {
            self.accepts = accepts
        }
    }

    package let ticket: Ticket
    package var terms: Terms
    /// When waiting makes no sense any more.
    package let deadline: Duration

    package init(ticket: Ticket, terms: Terms, deadline: Duration) {
        self.ticket = ticket
        self.terms = terms
        self.deadline = deadline
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
    /// No permit came within the request's time. Seconds as above.
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
