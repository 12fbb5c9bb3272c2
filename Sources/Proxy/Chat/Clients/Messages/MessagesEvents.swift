import ProxyRouting

/// Writes an answer as the events of a Messages stream.
struct MessagesEvents: ItemWriter {
    var bytes: [UInt8] = []
    private let answer: MessagesDialect
    private var hasBegun = false
    /// Of the block that was opened last.
    private var index = -1
    /// What every delta of the open block begins with.
    private var opening: [UInt8] = []
    /// Escaped: what the model has thought in the open block, and why it would not answer.
    private var thought: [UInt8] = []
    private var refused: [UInt8] = []

    static let ping = Array("event: ping\ndata: {\"type\":\"ping\"}\n\n".utf8)

    init(_ answer: MessagesDialect) { self.answer = answer }

    var showsReasoning: Bool { answer.thinking != .none }

    mutating func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "message_start")
        writer.key("message")
        answer.begin(&writer)
        writer.endArray()
        writer.key("stop_reason")
        writer.null()
        writer.key("stop_sequence")
        writer.null()
        writer.key("usage")
        answer.write(nil, to: &writer)
        writer.endObject()
        writer.endObject()
        event("message_start", writer.bytes)
        bytes += Self.ping
    }

    mutating func open(_ item: ItemKind) {
        switch item {
        case .reasoning:
            thought = []
            begin(block: Array(#"{"type":"thinking","thinking":"","signature":""}"#.utf8))
            setOpening(#"{"type":"thinking_delta","thinking":""#)
        case .message:
            begin(block: Array(#"{"type":"text","text":""}"#.utf8))
            setOpening(#"{"type":"text_delta","text":""#)
        case .call: break
        }
    }

    mutating func openCall(id: String, name: ArraySlice<UInt8>) {
        var block = Array(#"{"type":"tool_use","id":""#.utf8)
        JSONString.append(answer.callID(id), to: &block)
        block.append(literal: #"","name":""#)
        block.append(contentsOf: name)
        block.append(literal: #"","input":{}}"#)
        begin(block: block)
        setOpening(#"{"type":"input_json_delta","partial_json":""#)
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?) { delta(escaped) }

    mutating func refusal(_ escaped: ArraySlice<UInt8>) {
        refused += escaped
        delta(escaped)
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>) {
        if answer.thinking == .omitted { thought += escaped } else { delta(escaped) }
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>) { delta(escaped) }

    mutating func close(_ item: ItemKind, isCut: Bool) {
        if item == .reasoning {
            setOpening(#"{"type":"signature_delta","signature":""#)
            delta(Array(answer.signature(of: thought).utf8)[...])
        }
        bytes.append(literal: "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":")
        bytes.append(contentsOf: String(index).utf8)
        bytes.append(literal: "}\n\n")
    }

    mutating func end(_ end: ItemEnd) {
        begin()
        if index < 0 {
            open(.message)
            close(.message, isCut: false)
        }
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "message_delta")
        writer.key("delta")
        writer.beginObject()
        answer.write(answer.stop(end, hasRefused: !refused.isEmpty), refusal: refused, to: &writer)
        writer.endObject()
        writer.key("usage")
        answer.write(end.usage, to: &writer)
        writer.endObject()
        event("message_delta", writer.bytes)
        bytes.append(literal: "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
    }

    /// In place of the rest: no block is closed, and no reason invented.
    mutating func fail(_ failure: Failure) {
        bytes += AnthropicError(answer.worded(failure), requestID: answer.requestID).event
    }

    // MARK: Events

    private mutating func event(_ name: StaticString, _ data: [UInt8]) {
        bytes.append(literal: "event: ")
        bytes.append(literal: name)
        bytes.append(literal: "\ndata: ")
        bytes.append(contentsOf: data)
        bytes.append(literal: "\n\n")
    }

    private mutating func begin(block: [UInt8]) {
        index += 1
        bytes.append(literal: "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":")
        bytes.append(contentsOf: String(index).utf8)
        bytes.append(literal: #","content_block":"#)
        bytes.append(contentsOf: block)
        bytes.append(literal: "}\n\n")
    }

    private mutating func setOpening(_ delta: StaticString) {
        opening.removeAll(keepingCapacity: true)
        opening.append(literal: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":")
        opening.append(contentsOf: String(index).utf8)
        opening.append(literal: #","delta":"#)
        opening.append(literal: delta)
    }

    private mutating func delta(_ escaped: ArraySlice<UInt8>) {
        bytes.append(contentsOf: opening)
        bytes.append(contentsOf: escaped)
        bytes.append(literal: "\"}}\n\n")
    }
}
