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
    private let onKept: ((_ id: String, _ upstream: String) -> Void)?
    /// Frames may leave.
    private var isReleased = false
    /// The number of the last event that had one.
    private var number = -1
    /// The response as it was told first.
    private var response: [(name: [UInt8], value: [UInt8])] = []
    /// Of a completion: the choices that have been told of, and those that have named their reason to end.
    private var choices: (seen: Set<Int>, ended: Set<Int>) = ([], [])
    private let expectedChoices: Int
    /// A message has named its reason to end; only `message_stop` may follow.
    private var hasReason = false
    /// The first block of a message has begun.
    private var hasOpened = false
    /// The end of the only text, which is told with what follows: behind it, no other upstream could go on.
    private var held: [UInt8] = []
    /// What the client has been told, where that is kept.
    private(set) var sent: SentText?

    private(set) var isComplete = false
    private(set) var usage: TokenUsage?
    private(set) var unreadableEvents = 0
    /// How much has been told.
    private(set) var told = TextMeter()
    /// The usage has been asked for by the proxy alone: the event of it alone stays here.
    private let hidesUsage: Bool
    /// Those among them that were cut in the middle, at the end of a body that is not whole.
    private var torn = 0
    var hasHoles: Bool { unreadableEvents > torn }
    private(set) var answerID: String?
    private(set) var oddities = Oddities()

    /// - Parameters:
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - choices: how many were asked for.
    ///   - keepsText: another upstream may have to go on behind what has been told. Only a message's can: a response is kept by its upstream, under its name, and no
    ///     chat repeats what has been put behind a bare prompt.
    ///   - onKept: is told the ids of what the upstream keeps, with its own.
    ///   - errorEvent: a failure in the client's language.
    init(
        _ dialect: ProviderDialect, model: String, upstream: String, choices: Int = 1, keepsText: Bool = false,
        hidesUsage: Bool = false,
        onKept: ((_ id: String, _ upstream: String) -> Void)? = nil,
        errorEvent: @escaping (Failure) -> [UInt8]
    ) {
        self.dialect = dialect
        self.model = ModelMember.quoted(model)
        self.upstream = upstream
        expectedChoices = choices
        self.hidesUsage = hidesUsage
        sent = keepsText && dialect == .messages ? SentText() : nil
        self.onKept = onKept
        self.errorEvent = errorEvent
    }

    var isFinished: Bool { isComplete || hasReason || hasAllChoices }

    private var hasAllChoices: Bool { choices.ended.count >= expectedChoices && choices.ended == choices.seen }

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
        let before = unreadableEvents
        if let block = blocks.end(), let failure = pass(block) { return noted(failure) }
        guard !isComplete else { return nil }
        guard isFinished else {
            torn = unreadableEvents - before
            return .incompleteStream
        }
        frames += Array(
            (hasReason ? "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n" : "data: [DONE]\n\n").utf8)
        oddities.insert(.noEnd)
        (isComplete, isReleased) = (true, true)
        return nil
    }

    func fail(_ failure: Failure) {
        isReleased = true
        // The ids and numbers of the events are the upstream's.
        guard dialect == .responses, !response.isEmpty else {
            frames += errorEvent(failure)
            return
        }
        let error = OpenAIError(failure)
        var writer = JSONWriter(capacity: error.message.utf8.count + 1024)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "response.failed")
        writer.key("sequence_number")
        writer.int(number &+ 1)
        writer.key("response")
        writer.beginObject()
        for member in response {
            writer.key(String(decoding: member.name, as: UTF8.self))
            writer.raw(member.value[...])
        }
        writer.key("status")
        writer.string(literal: "failed")
        writer.key("error")
        writer.beginObject()
        writer.key("code")
        writer.string(literal: "server_error")
        writer.key("message")
        writer.string(error.message)
        writer.endObject()
        writer.endObject()
        writer.endObject()
        frames += Array("event: response.failed\ndata: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    func takeFrames(_ body: ([UInt8]) -> Void) {
        if frames.count > PassThroughRelay.mostHeldBack { isReleased = true }
        guard isReleased || isComplete, !frames.isEmpty else { return }
        body(frames)
        frames.removeAll(keepingCapacity: frames.count >= frames.capacity / 4)
    }

    private func noted(_ failure: Failure) -> Failure {
        if failure.isUnderSuccess { oddities.insert(.lateError) }
        return failure
    }

    // MARK: Events

    private func pass(_ block: EventBlocks.Block) -> Failure? {
        guard let data = block.data, !data.isEmpty else { return nil }
        guard !block.isBroken, !block.hasFurtherData else {
            unreadableEvents += 1
            return nil
        }
        let text = blocks.bytes[data]
        if text.first == UInt8(ascii: "["), text.starts(with: "[DONE]".utf8) {
            guard dialect == .completions else { return nil }
            append(block, replacing: [], to: &frames)
            isComplete = true
            return nil
        }
        guard let root = try? JSONDocument(parsing: Array(text)).root, root.kind == .object else {
            unreadableEvents += 1
            return nil
        }
        let event = NativeEvent(root, in: dialect)
        if let failure = event.failure(of: upstream, isReleased: isReleased, isCalledError: block.isError) {
            return failure
        }
        event.measure(&told)
        if let counts = event.usage(beside: usage) {
            usage = counts
            if hidesUsage, event.isUsageAlone { return nil }
        }
        if answerID == nil, let id = event.id {
            answerID = id
            onKept?(id, upstream)
        }
        if let onKept, let item = event.itemID { onKept(item, upstream) }
        if let number = root["sequence_number"]?.int, (0..<1 << 40).contains(number) { self.number = number }
        if sent?.isWhole == true, event.endsText {
            append(block, replacing: [], to: &held)
            return nil
        }
        if !event.isPing {
            frames += held
            held = []
        }
        append(
            block, replacing: event.models.map { $0.lowerBound + data.lowerBound..<$0.upperBound + data.lowerBound },
            to: &frames)
        if response.isEmpty { response = event.response(naming: model) }
        for (index, hasReason) in event.choices.prefix(ChoiceProgress.mostChoices) {
            if choices.seen.count < ChoiceProgress.mostChoices { choices.seen.insert(index) }
            if hasReason, choices.seen.contains(index) { choices.ended.insert(index) }
        }
        if sent != nil {
            event.tell(&sent, hasOpened: hasOpened)
            if event.opensBlock { hasOpened = true }
        }
        if event.saysSomething { isReleased = true }
        if event.hasReason { hasReason = true }
        if event.isLast { isComplete = true }
        return nil
    }

    private func append(_ block: EventBlocks.Block, replacing ranges: [Range<Int>], to frames: inout [UInt8]) {
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
    /// Of an item that is done.
    var itemID: String? { type == "response.output_item.done" ? root["item"]?["id"]?.string : nil }

    /// What a response tells of itself at its beginning.
    func response(naming model: [UInt8]) -> [(name: [UInt8], value: [UInt8])] {
        guard dialect == .responses, let answer else { return [] }
        return answer.members.compactMap { key, value in
            guard let name = key.rawString, !key.equals("status"), !key.equals("error") else { return nil }
            return (Array(name), key.equals("model") ? model : Array(value.oneLine))
        }
    }

    /// The choices of a completion, and whether each says why it ends.
    var choices: [(index: Int, hasReason: Bool)] {
        guard dialect == .completions else { return [] }
        return root.elements(of: "choices").map { ($0["index"]?.int ?? 0, $0.present("finish_reason") != nil) }
    }

    /// Something has been said, or the answer has an end of its own.
    var saysSomething: Bool {
        switch dialect {
        case .messages where type == "content_block_start": root["content_block"]?.isHollow == false
        case .messages where type == "content_block_delta": root["delta"]?.isHollow == false
        case .messages: !["message_start", "ping"].contains(type)
        case .responses: !["response.created", "response.in_progress", "response.queued"].contains(type)
        case .completions, .chat: root.elements(of: "choices").contains { $0["text"]?.isHollow == false }
        }
    }

    /// A message names its reason to end.
    var hasReason: Bool { dialect == .messages && root["delta"]?["stop_reason"]?.isEmptyString == false }

    var isLast: Bool {
        switch dialect {
        case .messages: type == "message_stop"
        case .responses: ["response.completed", "response.incomplete", "response.failed"].contains(type)
        case .completions, .chat: false
        }
    }

    /// Some report failures in chat completions' form, whatever they speak.
    private func isError(_ isCalledSo: Bool) -> Bool {
        type == "error" || type.isEmpty && (isCalledSo || root.present("error") != nil)
    }

    /// What the upstream reports in place of an answer. One that has begun ends as its upstream says.
    ///
    /// - Parameter isCalledError: the line before the event's data says so.
    func failure(of upstream: String, isReleased: Bool, isCalledError: Bool) -> Failure? {
        switch dialect {
        case .messages: isError(isCalledError) ? ProviderErrorReader.translate(document: root, upstream: upstream) : nil
        case .responses where isError(isCalledError): ProviderErrorReader.translate(document: root, upstream: upstream)
        case .responses where type == "response.failed" && !isReleased:
            ProviderErrorReader.translate(document: root["response"], upstream: upstream)
        case .responses: nil
        case .completions, .chat:
            root.present("error") == nil ? nil : ProviderErrorReader.translate(document: root, upstream: upstream)
        }
    }

    /// Of a completion: it has no choices.
    var isUsageAlone: Bool { dialect == .completions && root.elements(of: "choices").isEmpty }

    /// Takes down how much it tells.
    func measure(_ told: inout TextMeter) {
        switch dialect {
        case .messages where type == "content_block_delta":
            for name in ["text", "thinking", "partial_json"] as [StaticString] {
                if let text = root["delta"]?[name]?.rawString { told.take(text) }
            }
        case .messages: break
        case .responses: if type.hasSuffix(".delta"), let text = root["delta"]?.rawString { told.take(text) }
        case .completions, .chat:
            for choice in root.elements(of: "choices") { if let text = choice["text"]?.rawString { told.take(text) } }
        }
    }

    var opensBlock: Bool { type == "content_block_start" }
    var isPing: Bool { type == "ping" }
    /// The first block of a message is over.
    var endsText: Bool { type == "content_block_stop" && root["index"]?.int == 0 }

    /// Adds what the event of a message tells its client. More than the text of one block, and no other upstream can go on.
    ///
    /// - Parameter hasOpened: its first block has begun.
    func tell(_ sent: inout SentText?, hasOpened: Bool) {
        switch type {
        case "message_start", "ping": return
        case "content_block_start": tell(root["content_block"], "text", &sent)
        // A block that nobody has opened is not to be closed.
        case "content_block_delta" where !hasOpened: sent?.spoil()
        case "content_block_delta": tell(root["delta"], "text_delta", &sent)
        default: sent?.spoil()
        }
    }

    private func tell(_ part: JSONValue?, _ expected: String, _ sent: inout SentText?) {
        guard root["index"]?.int == 0, let part, part["type"]?.string == expected,
            part.present("citations")?.isHollow != false, let text = part["text"]?.rawString
        else {
            sent?.spoil()
            return
        }
        sent?.add(text)
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
