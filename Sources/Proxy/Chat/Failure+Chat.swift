extension Failure {
    /// The upstream reports that it cannot finish what it has begun.
    static func brokenOff(_ reason: String) -> Failure {
        Failure(.failed(.brokenOff), "The upstream broke the answer off: \(reason).")
    }

    static let incompleteStream = Failure(
        .failed(.incomplete),
        "The upstream's stream ended in the middle of the answer. What has arrived is not whole; try again.")

    /// An answer that says nothing and does not say why is no answer.
    static let emptyAnswer = Failure(
        .failed(.empty), "The upstream gave an empty answer: no text, no reasoning and no tool call. Try again.")

    /// A line of what should be a stream of events is longer than any event can be.
    static func endlessLine(limit: Int) -> Failure {
        Failure(
            .failed(.invalid), "The upstream's stream is no event stream: a line of it has more than \(limit) bytes.")
    }
}
