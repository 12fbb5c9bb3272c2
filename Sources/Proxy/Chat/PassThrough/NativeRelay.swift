import NIOCore
import ProxyRouting

/// Passes on the stream of an upstream that speaks the client's language, where that is not chat completions: every event as the upstream wrote it, but for the
/// model's name.
///
/// As with chats, nothing leaves before the upstream has said something, so that another can take its place.
final class NativeRelay: ResponseRelay {
    private var blocks = EventBlocks()
    private let dialect: ProviderDialect
    private let upstream: String
    private let model: [UInt8]
    private var frames: [UInt8] = []
    private let errorEvent: (Failure) -> [UInt8]
    /// Frames may leave.
    private var isReleased = false
    /// The number of the last event that had one.
    private var number = -1

    private(set) var isComplete = false
    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0
    private(set) var answerID: String?
    private(set) var oddities = Oddities()

    /// - Parameters:
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - errorEvent: a failure in the client's language.
    init(
        _ dialect: ProviderDialect, model: String, upstream: String, errorEvent: @escaping (Failure) -> [UInt8]
    ) {
        self.dialect = dialect
        self.model = ModelMember.quoted(model)
        self.upstream = upstream
        self.errorEvent = errorEvent
    }

    var isFinished: Bool { isComplete }

    func take(_ bytes: ByteBuffer) -> Failure? {
        guard !isComplete else { return nil }
        blocks.feed(bytes.readableBytesView)
        while !isComplete {
            do {
                guard let block = try blocks.next() else { break }
                if let failure = pass(block) { return noted(failure) }
            } catch {
                return .endlessLine(limit: error.limit)
            }
        }
        return nil
    }

    func end() -> Failure? {
        guard !isComplete else { return nil }
        if let block = blocks.end(), let failure = pass(block) { return noted(failure) }
        return isComplete ? nil : .incompleteStream
    }

    func fail(_ failure: Failure) {
        isReleased = true
        // The order of numbered events is the upstream's; the client's own error has no place in it but the next.
        guard dialect == .responses, number >= 0 else {
            frames += errorEvent(failure)
            return
        }
        let error = OpenAIError(failure)
        var writer = JSONWriter(capacity: error.message.utf8.count + 128)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "error")
        writer.key("sequence_number")
        writer.int(number + 1)
        writer.key("code")
        writer.string(error.code ?? "server_error")
        writer.key("message")
        writer.string(error.message)
        writer.key("param")
        writer.null()
        writer.endObject()
        frames += Array("event: error\ndata: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        if frames.count > PassThroughRelay.mostHeldBack { isReleased = true }
        guard isReleased || isComplete, !frames.isEmpty else { return }
        body(frames)
        frames.removeAll(keepingCapacity: true)
    }

    private func noted(_ failure: Failure) -> Failure {
        if failure.isUnderSuccess { oddities.insert(.lateError) }
        return failure
    }

    // MARK: Events

    private func pass(_ block: EventBlocks.Block) -> Failure? {
        guard let data = block.data, !data.isEmpty, !block.hasFurtherData else { return nil }
        let text = blocks.bytes[data]
        if text.first == UInt8(ascii: "["), text.starts(with: "[DONE]".utf8) {
            guard dialect == .completions else { return nil }
            append(block, replacing: [])
            isComplete = true
            return nil
        }
        guard let root = try? JSONDocument(parsing: Array(text)).root, root.kind == .object else {
            unreadableEvents += 1
            return nil
        }
        let event = NativeEvent(root, in: dialect)
        if let failure = event.failure(of: upstream, isReleased: isReleased) { return failure }
        if let counts = event.usage(beside: usage) { usage = counts }
        if answerID == nil { answerID = event.id }
        if let number = root["sequence_number"]?.int { self.number = number }
        append(
            block, replacing: event.models.map { $0.lowerBound + data.lowerBound..<$0.upperBound + data.lowerBound })
        if event.saysSomething { isReleased = true }
        if event.isLast { isComplete = true }
        return nil
    }

    private func append(_ block: EventBlocks.Block, replacing ranges: [Range<Int>]) {
        ModelMember.append(blocks.bytes[block.range], replacing: ranges, with: model, to: &frames)
        guard block.isCut else { return }
        if frames.last != UInt8(ascii: "\n") { frames.append(UInt8(ascii: "\n")) }
        frames.append(UInt8(ascii: "\n"))
    }
}

/// One event of a language, as far as it must be understood to be passed on.
private struct NativeEvent {
    private let root: JSONValue
    private let dialect: ProviderDialect
    private let type: String

    init(_ root: JSONValue, in dialect: ProviderDialect) {
        self.root = root
        self.dialect = dialect
        type = dialect == .completions ? "" : root["type"]?.string ?? ""
    }

    /// The object that names the model.
    private var answer: JSONValue? {
        switch dialect {
        case .messages: type == "message_start" ? root["message"] : nil
        case .responses: root["response"]
        case .completions, .chat: root
        }
    }

    /// Where the model's name stands in the event.
    var models: [Range<Int>] { answer?.places(of: "model") ?? [] }
    var id: String? { answer?["id"]?.string }

    /// Something has been said, or the answer has an end of its own.
    var saysSomething: Bool {
        switch dialect {
        case .messages: !["message_start", "ping"].contains(type)
        case .responses: !["response.created", "response.in_progress", "response.queued"].contains(type)
        case .completions, .chat: root.elements(of: "choices").contains { $0["text"]?.isHollow == false }
        }
    }

    var isLast: Bool {
        switch dialect {
        case .messages: type == "message_stop"
        case .responses: ["response.completed", "response.incomplete", "response.failed"].contains(type)
        case .completions, .chat: false
        }
    }

    /// What the upstream reports in place of an answer. One that has begun ends as its upstream says.
    func failure(of upstream: String, isReleased: Bool) -> Failure? {
        switch dialect {
        case .messages: type == "error" ? ProviderErrorReader.translate(document: root, upstream: upstream) : nil
        case .responses where type == "error":
            ProviderErrorReader.translate(document: root, upstream: upstream)
        case .responses where type == "response.failed" && !isReleased:
            ProviderErrorReader.translate(document: root["response"], upstream: upstream)
        case .responses: nil
        case .completions, .chat:
            root.present("error") == nil ? nil : ProviderErrorReader.translate(document: root, upstream: upstream)
        }
    }

    func usage(beside known: TokenUsage?) -> TokenUsage? {
        switch dialect {
        case .messages:
            TokenUsage(messages: type == "message_start" ? root["message"]?["usage"] : root["usage"], beside: known)
        case .responses: TokenUsage(responses: answer?["usage"])
        case .completions, .chat: TokenUsage(openAI: root["usage"])
        }
    }
}
