/// What took too long, when a deadline has passed.
package enum DeadlineCause: Equatable, Sendable {
    /// `request_timeout`: no whole answer, or no first event.
    case request
    /// `head_timeout`: the upstream has not even said whether it will answer.
    case head
    /// `first_token_timeout`.
    case firstToken
    /// `stream_timeout`: silence of the upstream inside a stream.
    case idleTimeout
    /// The client took nothing of what was ready for it for as long.
    case slowClient
    /// The upstream said that its answer was finished, yet keeps the stream open.
    case tail
    /// `rescue_timeout`: another upstream has not yet repeated what the client knows.
    case rescue
}
