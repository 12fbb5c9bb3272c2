/// Whose circuit breakers a request has counted against before: its attempts count once.
package struct CountedFailures: Equatable, Sendable {
    /// Of the model at the upstream.
    package var model = false
    /// Of the upstream itself.
    package var upstream = false

    package init(model: Bool = false, upstream: Bool = false) {
        self.model = model
        self.upstream = upstream
    }
}

/// How an attempt has ended, for the books of its upstream.
package struct AttemptEnding: Sendable {
    package let outcome: AttemptOutcome
    /// What a client would be told about it.
    package let error: Failure?
    package let usage: TokenUsage?
    /// From the permit to the first event of a stream.
    package let firstEvent: Duration?
    /// The client asked for a stream, so its time goes to the first event.
    package var isStreaming = false
    /// The time that the request had in all when it came.
    package var allowance = Duration.zero
    /// The same request has failed at this upstream before, and its failure has been counted.
    package var isCounted = CountedFailures()
    /// What the upstream has said oddly.
    package var oddities = Oddities()

    package init(_ outcome: AttemptOutcome, error: Failure?, usage: TokenUsage?, firstEvent: Duration?) {
        self.outcome = outcome
        self.error = error
        self.usage = usage
        self.firstEvent = firstEvent
    }

    package init(_ outcome: AttemptOutcome, firstEvent: Duration? = nil) {
        self.init(outcome, error: nil, usage: nil, firstEvent: firstEvent)
    }
}
