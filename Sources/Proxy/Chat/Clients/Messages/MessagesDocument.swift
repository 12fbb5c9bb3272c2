import ProxyRouting

/// Gathers an answer into one message: its blocks, one after the other.
struct MessagesDocument: ItemWriter {
    var bytes: [UInt8] = []
    private let answer: MessagesDialect
    private var blocks: [[UInt8]] = []
    /// Of the block that is open, escaped.
    private var content: [UInt8] = []
    private var call: (id: String, name: [UInt8]) = ("", [])
    private var refused: [UInt8] = []

    init(_ answer: MessagesDialect) { self.answer = answer }

    var showsReasoning: Bool { answer.thinking != .none }

    mutating func begin() {}
    mutating func open(_ item: ItemKind) { content = [] }
    mutating func openCall(id: String, name: ArraySlice<UInt8>) {
        content = []
        call = (answer.callID(id), Array(name))
    }
    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?) { content += escaped }
    mutating func refusal(_ escaped: ArraySlice<UInt8>) {
        refused += escaped
        content += escaped
    }
    mutating func reasoning(_ escaped: ArraySlice<UInt8>) { content += escaped }
    mutating func arguments(_ escaped: ArraySlice<UInt8>) { content += escaped }

    mutating func close(_ item: ItemKind, isCut: Bool) {
        var writer = JSONWriter(capacity: content.count + 128)
        writer.beginObject()
        writer.key("type")
        switch item {
        case .message:
            writer.string(literal: "text")
            writer.key("text")
            writer.string(escaped: content[...])
        case .reasoning:
            writer.string(literal: "thinking")
            writer.key("thinking")
            writer.string(escaped: answer.thinking == .omitted ? [] : content[...])
            writer.key("signature")
            writer.string(answer.signature(of: content))
        case .call:
            writer.string(literal: "tool_use")
            writer.key("id")
            writer.string(call.id)
            writer.key("name")
            writer.string(escaped: call.name[...])
            writer.key("input")
            Self.write(input: content, to: &writer)
        }
        writer.endObject()
        blocks.append(writer.bytes)
    }

    /// An object, whatever the model has made of it.
    private static func write(input: [UInt8], to writer: inout JSONWriter) {
        let text = Array(JSONString.decode(input[...]).utf8)
        if let root = try? JSONDocument(parsing: text).root, root.kind == .object { return writer.raw(root.raw) }
        writer.beginObject()
        if text.contains(where: { $0 > 0x20 }) {
            writer.key("INVALID_JSON")
            writer.string(escaped: input[...])
        }
        writer.endObject()
    }

    mutating func end(_ end: ItemEnd) {
        if blocks.isEmpty {
            content = []
            close(.message, isCut: false)
        }
        var writer = JSONWriter(capacity: blocks.reduce(512) { $0 + $1.count + 1 })
        answer.begin(&writer)
        for block in blocks { writer.raw(block[...]) }
        writer.endArray()
        answer.write(answer.stop(end, hasRefused: !refused.isEmpty), refusal: refused, to: &writer)
        writer.key("usage")
        answer.write(end.usage, to: &writer)
        writer.endObject()
        bytes = writer.bytes
    }

    mutating func fail(_ failure: Failure) {}
}
