/// Translates the events of one upstream's stream into chunks, one at a time. Every dialect has its own.
///
/// It says nothing before the upstream has said something, so that an attempt that fails early leaves no trace and another
/// can take its place.
protocol AnswerStream: Sendable {
    /// Takes the data of one event and appends what the client is to see.
    mutating func translate(_ event: ArraySlice<UInt8>, into frames: inout [UInt8]) -> AnswerStreamStep

    /// The upstream's body has ended.
    ///
    /// - Returns: nil when the answer was complete (its end has been written), else why it was not.
    mutating func end(into frames: inout [UInt8]) -> APIError?

    /// The token counts, once the upstream has told them.
    var usage: TokenUsage? { get }
    /// Events that could not be read and were passed over.
    var unreadableEvents: Int { get }
    /// What the upstream has said oddly, but for such events.
    var oddities: Oddities { get }
}

/// What an event means for its stream.
enum AnswerStreamStep: Equatable, Sendable {
    /// Go on.
    case more
    /// Every choice has its finish reason: what may still come is the usage and `[DONE]`.
    case finished
    /// This was all, and the end of the answer has been written.
    case complete
    /// The upstream reports a failure; it has not been written.
    case failed(APIError)
}

extension APIError {
    /// The upstream reports that it cannot finish what it has begun.
    static func brokenOff(_ reason: String) -> APIError {
        APIError(status: 502, message: "The upstream broke the answer off: \(reason).", type: "api_error", code: "upstream_error", kind: .failed)
    }

    static let incompleteStream = APIError(
        status: 502, message: "The upstream's stream ended in the middle of the answer. What has arrived is not whole; try again.",
        type: "api_error", code: "upstream_stream_incomplete", kind: .failed)
}
