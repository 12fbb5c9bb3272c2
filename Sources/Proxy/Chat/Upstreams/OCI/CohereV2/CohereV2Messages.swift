import ProxyRouting

/// The messages of a chat in COHEREV2's form: typed parts, nested tool calls.
enum CohereV2Messages {
    static func write(_ messages: [ChatMessage], family: ModelFamily, to writer: inout JSONWriter) throws(Failure) {
        writer.key("messages")
        writer.beginArray()
        for step in ToolResultOrder.arrange(messages, pairsToolCalls: false) {
            switch step {
            case .whole(let index), .firstCall(let index):
                try write(messages[index], at: index, family: family, to: &writer)
            case .furtherCall: break
            }
        }
        writer.endArray()
    }

    private static func write(_ message: ChatMessage, at index: Int, family: ModelFamily, to writer: inout JSONWriter)
        throws(Failure)
    {
        writer.beginObject()
        writer.key("role")
        switch message.role {
        case .system, .developer: writer.string(literal: "SYSTEM")
        case .user: writer.string(literal: "USER")
        case .assistant: writer.string(literal: "ASSISTANT")
        case .tool: writer.string(literal: "TOOL")
        }
        try writeContent(of: message, at: index, family: family, to: &writer)
        if !message.toolCalls.isEmpty {
            writer.key("toolCalls")
            writer.beginArray()
            for call in message.toolCalls { write(call, to: &writer) }
            writer.endArray()
        }
        if message.role == .tool, let id = message.toolCallID {
            writer.key("toolCallId")
            writer.string(escaped: id)
        }
        writer.endObject()
    }

    /// The schema demands a content everywhere: an empty list beside tool calls, a blank where nothing was said.
    private static func writeContent(
        of message: ChatMessage, at index: Int, family: ModelFamily, to writer: inout JSONWriter
    ) throws(Failure) {
        var isEmpty = true
        writer.key("content")
        writer.beginArray()
        for part in message.content {
            switch part {
            case .text(let text):
                guard !text.isEmpty else { continue }
                GenericMessages.writeText(text, to: &writer)
            case .image(let url, let detail):
                guard family.takesImages else { throw part.refusal(in: index, takes: "text") }
                GenericMessages.writeImage("IMAGE_URL", url, detail: detail, to: &writer)
            case .audio, .video, .document:
                throw part.refusal(in: index, takes: family.takesImages ? "text and images" : "text")
            }
            isEmpty = false
        }
        if let refusal = message.refusal, !refusal.isEmpty {
            GenericMessages.writeText(refusal, to: &writer)
            isEmpty = false
        }
        if isEmpty, message.toolCalls.isEmpty { GenericMessages.writeText(Array(" ".utf8)[...], to: &writer) }
        writer.endArray()
    }

    private static func write(_ call: ChatMessage.ToolCall, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(escaped: call.id)
        writer.key("type")
        writer.string(literal: "FUNCTION")
        writer.key("function")
        writer.beginObject()
        writer.key("name")
        writer.string(escaped: call.name)
        writer.key("arguments")
        writer.string(escaped: call.arguments)
        writer.endObject()
        writer.endObject()
    }
}
