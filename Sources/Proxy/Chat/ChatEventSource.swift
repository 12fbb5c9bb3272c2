import ProxyRouting

/// Reads what one upstream says, in its dialect, and tells it to a sink.
///
/// It tells nothing before the upstream has said something, so that an attempt that fails early leaves no trace and another can take its place. One value for
/// one answer, streamed or whole: both ways go through the same rules.
protocol ChatEventSource {
    /// Reads the data of one event of a stream.
    mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> ChatStreamStep

    /// The upstream's body has ended.
    ///
    /// - Returns: nil when the answer was complete (its end has been told), else why it was not.
    mutating func end(into sink: inout some ChatEventSink) -> Failure?

    /// Reads a whole answer, to its end.
    ///
    /// - Throws: `Failure` when the document is no answer, tells of a failure, or says nothing.
    mutating func read(document body: [UInt8], into sink: inout some ChatEventSink) throws(Failure)

    /// The token counts, once the upstream has told them.
    var usage: TokenUsage? { get }
    /// Events that could not be read and were passed over.
    var unreadableEvents: Int { get }
    /// What the upstream has said oddly, but for such events.
    var oddities: Oddities { get }
}

/// What an event means for its stream.
enum ChatStreamStep: Equatable, Sendable {
    /// Go on.
    case more
    /// Every choice has its finish reason: what may still come is the usage and `[DONE]`.
    case finished
    /// This was all, and the end of the answer has been told.
    case complete
    /// The upstream reports a failure; it has not been told.
    case failed(Failure)
}
