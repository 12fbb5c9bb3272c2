import NIOCore
import ProxyRouting

/// From the bytes of an upstream's stream to the frames for the client, without I/O: whoever drives it reads and writes.
///
/// Nothing is ready to be sent before the upstream has said something, so that an attempt that fails early leaves no trace
/// and another can take its place.
///
/// A class: its driver knows it as `any ResponseRelay`, and each look at a value behind that would copy the value.
protocol ResponseRelay: AnyObject {
    /// Every choice has its finish reason; only the usage and `[DONE]` may follow.
    var isFinished: Bool { get }
    /// The answer is complete and its end has been written.
    var isComplete: Bool { get }
    /// The token counts, once the upstream has told them.
    var usage: TokenUsage? { get }
    /// How much has been told, where somebody is charged for it.
    var told: TextMeter { get }
    /// Events that could not be read and were passed over.
    var unreadableEvents: Int { get }
    /// There are some before the end of what has been told.
    var hasHoles: Bool { get }
    /// The id of the answer, where it is the upstream's own; nil before its first event.
    var answerID: String? { get }
    /// What the upstream has said oddly.
    var oddities: Oddities { get }

    /// What the client has been told, as long as another upstream could go on behind it; nil where that is not kept.
    var sent: SentText? { get }
    /// What is told to the client, for another upstream to go on with; nil where its bytes pass.
    var clientSink: (any ChatByteSink)? { get }
    /// Tokens that others have told before, which `usage` does not count.
    var tokensBefore: Int { get }
    /// A second upstream gives another answer than the first.
    var hasDiverged: Bool { get }

    /// Takes what has come from the network.
    ///
    /// - Returns: why the answer ends here, if the upstream reports a failure or writes no events. The frames of the events
    ///   before it are there all the same.
    func take(_ bytes: ByteBuffer) -> Failure?

    /// Takes a document in place of a stream that was to go on with the client's.
    ///
    /// - Throws: why it does not.
    func frames(of document: [UInt8]) throws(Failure) -> ChatReader.StreamedResponse

    /// The upstream's body has ended.
    ///
    /// - Returns: why the answer is not whole; nil when it is, and its end has been written.
    func end() -> Failure?

    /// The answer has begun and ends here: writes the failure in place of its end.
    func fail(_ failure: Failure)

    /// Hands out the frames that have not been sent yet, if there are any.
    func takeFrames(_ body: ([UInt8]) -> Void)
}

extension ResponseRelay {
    var sent: SentText? { nil }
    var clientSink: (any ChatByteSink)? { nil }
    var hasDiverged: Bool { false }
    var tokensBefore: Int { 0 }

    func frames(of document: [UInt8]) throws(Failure) -> ChatReader.StreamedResponse { throw .otherAnswer }

    /// The frames that have not been sent yet.
    func takeFrames() -> [UInt8] {
        var taken: [UInt8] = []
        takeFrames { taken = $0 }
        return taken
    }
}

extension Failure {
    /// The second answer is not the first one. Nobody is told.
    static let otherAnswer = Failure(.refused, "The answer of the second upstream differs from the first.")
}
