import ProxyRouting

extension Failure {
    /// The upstream reports that it cannot finish what it has begun.
    static func brokenOff(_ reason: String) -> Failure {
        Failure(.failed(.brokenOff), "The upstream aborted the response: \(reason).")
    }

    static let incompleteStream = Failure(
        .failed(.incomplete),
        "The upstream's stream ended before the response was complete. Try again.")

    /// An answer that says nothing and does not say why is no answer.
    static let emptyAnswer = Failure(
        .failed(.empty), "The upstream returned an empty response: no text, no reasoning and no tool call. Try again.")

    /// A line of what should be a stream of events is longer than any event can be.
    static func endlessLine(limit: Int) -> Failure {
        Failure(
            .failed(.invalid), "The upstream did not send a valid event stream: a line has more than \(limit) bytes.")
    }
}
