import NIOCore

/// From the bytes of an upstream's stream to the frames for the client: parser and translator as one.
struct StreamRelay {
    private var parser = SSEParser()
    private var translator: any AnswerStream
    private var frames: [UInt8] = []

    /// Every choice has its finish reason; only the usage and `[DONE]` may follow.
    private(set) var isFinished = false
    /// The answer is complete and its end has been written.
    private(set) var isComplete = false

    init(_ translator: any AnswerStream) {
        self.translator = translator
    }

    var usage: TokenUsage? { translator.usage }
    var unreadableEvents: Int { translator.unreadableEvents }

    /// Takes what has come from the network.
    ///
    /// - Returns: why the answer ends here, if the upstream reports a failure or writes no events. The frames of the events
    ///   before it are there all the same.
    mutating func take(_ bytes: ByteBuffer) -> APIError? {
        parser.feed(bytes.readableBytesView)
        while !isComplete {
            do {
                guard let event = try parser.next() else { break }
                if let failure = translate(event) { return failure }
            } catch {
                return APIError(
                    status: 502, message: "The upstream's stream is no event stream: a line of it has more than \(error.limit) bytes.",
                    type: "upstream_error", code: "upstream_invalid_answer")
            }
        }
        return nil
    }

    /// The upstream's body has ended.
    ///
    /// - Returns: why the answer is not whole; nil when it is, and its end has been written.
    mutating func end() -> APIError? {
        guard !isComplete else { return nil }
        if let event = parser.end(), let failure = translate(event) { return failure }
        guard !isComplete else { return nil }
        if let failure = translator.end(into: &frames) { return failure }
        isFinished = true
        isComplete = true
        return nil
    }

    /// The frames that have not been sent yet.
    mutating func takeFrames() -> [UInt8] {
        defer { frames.removeAll(keepingCapacity: true) }
        return frames
    }

    private mutating func translate(_ event: ArraySlice<UInt8>) -> APIError? {
        switch translator.translate(event, into: &frames) {
        // A choice may begin after all earlier ones have ended.
        case .more: isFinished = false
        case .finished: isFinished = true
        case .complete:
            isFinished = true
            isComplete = true
        case .failed(let error): return error
        }
        return nil
    }
}
