import NIOCore

/// From the bytes of an upstream's stream to the frames for the client: parser and translator as one.
final class StreamRelay: AnswerRelay {
    private var parser = SSEParser()
    private var translator: any AnswerStream
    private var frames: [UInt8] = []

    private(set) var isFinished = false
    private(set) var isComplete = false

    init(_ translator: any AnswerStream) {
        self.translator = translator
    }

    var usage: TokenUsage? { translator.usage }
    var unreadableEvents: Int { translator.unreadableEvents }
    /// The request's own.
    var answerID: String? { nil }

    var oddities: Oddities {
        var oddities = translator.oddities
        if unreadableEvents > 0 { oddities.insert(.unreadableEvents) }
        if hasFailed { oddities.insert(.lateError) }
        return oddities
    }
    private var hasFailed = false

    func take(_ bytes: ByteBuffer) -> APIError? {
        parser.feed(bytes.readableBytesView)
        while !isComplete {
            do {
                guard let event = try parser.next() else { break }
                if let failure = translate(event) { return failure }
            } catch {
                return .endlessLine(limit: error.limit)
            }
        }
        return nil
    }

    func end() -> APIError? {
        guard !isComplete else { return nil }
        if let event = parser.end(), let failure = translate(event) { return failure }
        guard !isComplete else { return nil }
        if let failure = translator.end(into: &frames) { return failure }
        isFinished = true
        isComplete = true
        return nil
    }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        guard !frames.isEmpty else { return }
        body(frames)
        frames.removeAll(keepingCapacity: true)
    }

    private func translate(_ event: ArraySlice<UInt8>) -> APIError? {
        switch translator.translate(event, into: &frames) {
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
