import NIOCore
import ProxyRouting

/// From the bytes of an upstream's stream to a sink of chat events: parser and source as one.
struct SourceReader<Source: ChatEventSource> {
    private var parser = SSEParser()
    private(set) var source: Source

    /// Every choice has its finish reason; only the usage and `[DONE]` may follow.
    private(set) var isFinished = false
    /// The answer is complete and its end has been told.
    private(set) var isComplete = false
    private var hasFailed = false
    /// Events that were cut in the middle, at the end of a body that is not whole.
    private var torn = 0

    init(_ source: Source) {
        self.source = source
    }

    /// Something has been passed over with more behind it.
    var hasHoles: Bool { source.unreadableEvents > torn }

    var oddities: Oddities {
        var oddities = source.oddities
        if source.unreadableEvents > 0 { oddities.insert(.unreadableEvents) }
        if hasFailed { oddities.insert(.lateError) }
        return oddities
    }

    /// Takes what has come from the network.
    ///
    /// - Returns: why the answer ends here. What was said before it has been told all the same.
    mutating func take(_ bytes: ByteBuffer, into sink: inout some ChatEventSink) -> Failure? {
        parser.feed(bytes.readableBytesView)
        while !isComplete {
            do {
                guard let event = try parser.next() else { break }
                if let failure = read(event, into: &sink) { return failure }
            } catch {
                return .endlessLine(limit: error.limit)
            }
        }
        return nil
    }

    /// Reads a document in place of a stream, to its end.
    mutating func read(document: [UInt8], into sink: inout some ChatEventSink) throws(Failure) {
        try source.read(document: document, into: &sink)
        (isFinished, isComplete) = (true, true)
    }

    /// The upstream's body has ended.
    ///
    /// - Returns: why the answer is not whole; nil when it is, and its end has been told.
    mutating func end(into sink: inout some ChatEventSink) -> Failure? {
        guard !isComplete else { return nil }
        let before = source.unreadableEvents
        if let event = parser.end(), let failure = read(event, into: &sink) { return failure }
        guard !isComplete else { return nil }
        if let failure = source.end(into: &sink) {
            torn = source.unreadableEvents - before
            return failure
        }
        isFinished = true
        isComplete = true
        return nil
    }

    private mutating func read(_ event: ArraySlice<UInt8>, into sink: inout some ChatEventSink) -> Failure? {
        switch source.read(event, into: &sink) {
        // A choice may begin after all earlier ones have ended.
        case .more: isFinished = false
        case .finished: isFinished = true
        case .complete:
            isFinished = true
            isComplete = true
        case .failed(let error):
            hasFailed = error.isUnderSuccess
            return error
        }
        return nil
    }
}
