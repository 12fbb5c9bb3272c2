/// The messages of a chat in GENERIC's form: typed parts, flat tool calls.
enum GenericMessages {
    static func write(_ messages: [ChatMessage], family: ModelFamily, to writer: inout JSONWriter) {
        writer.key("messages")
        writer.beginArray()
        for step in ToolResultOrder.arrange(messages, pairsToolCalls: family.pairsToolResults) {
            switch step {
            case .whole(let index):
                write(
                    messages[index], calls: messages[index].toolCalls[...], content: messages[index].content,
                    family: family, to: &writer)
            case .firstCall(let index):
                let call = messages[index].toolCalls.prefix(1)
                write(messages[index], calls: call, content: messages[index].content, family: family, to: &writer)
            case .furtherCall(let index, let call):
                write(
                    messages[index], calls: messages[index].toolCalls[call...call], content: [], family: family,
                    to: &writer)
            }
        }
        writer.endArray()
    }

    private static func write(
        _ message: ChatMessage, calls: ArraySlice<ChatMessage.ToolCall>, content: [ContentPart], family: ModelFamily,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("role")
        switch message.role {
        case .system: writer.string(literal: "SYSTEM")
        case .developer: writer.string(literal: family.hasDeveloperRole ? "DEVELOPER" : "SYSTEM")
        case .user: writer.string(literal: "USER")
        case .assistant: writer.string(literal: "ASSISTANT")
        case .tool: writer.string(literal: "TOOL")
        }
        write(content, of: message.role, hasCalls: !calls.isEmpty, family: family, to: &writer)
        if let name = message.name, !name.isEmpty, message.role != .tool {
            writer.key("name")
            writer.string(escaped: name)
        }
        if let refusal = message.refusal, !refusal.isEmpty {
            writer.key("refusal")
            writer.string(escaped: refusal)
        }
        if !calls.isEmpty {
            writer.key("toolCalls")
            writer.beginArray()
            for call in calls { write(call, to: &writer) }
            writer.endArray()
        }
        if message.role == .tool, let id = message.toolCallID {
            writer.key("toolCallId")
            writer.string(escaped: id)
        }
        writer.endObject()
    }

    private static func write(
        _ content: [ContentPart], of role: ChatMessage.Role, hasCalls: Bool, family: ModelFamily,
        to writer: inout JSONWriter
    ) {
        // Where an empty text breaks the call, so does one of blanks.
        let parts = family.emptyText == nil ? content : content.filter { !$0.isBlank }
        let isEmpty = parts.allSatisfy { if case .text(let text) = $0 { text.isEmpty } else { false } }
        if isEmpty, role == .assistant, hasCalls, family.emptyText == nil { return }
        writer.key("content")
        writer.beginArray()
        if isEmpty {
            // A content must be there: an empty text, or what the family wants in its place.
            writeText(Array((family.emptyText ?? "").utf8)[...], to: &writer)
        } else {
            for part in parts { write(part, to: &writer) }
        }
        writer.endArray()
    }

    private static func write(_ part: ContentPart, to writer: inout JSONWriter) {
        switch part {
        case .text(let text): writeText(text, to: &writer)
        case .image(let url, let detail): writeImage("IMAGE", url, detail: detail, to: &writer)
        case .audio(let url): writeMedia("AUDIO", "audioUrl", url, to: &writer)
        case .video(let url): writeMedia("VIDEO", "videoUrl", url, to: &writer)
        case .document(let url): writeMedia("DOCUMENT", "documentUrl", url, to: &writer)
        }
    }

    static func writeText(_ text: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "TEXT")
        writer.key("text")
        writer.string(escaped: text)
        writer.endObject()
    }

    /// - Parameter type: how the dialect calls such a part.
    static func writeImage(_ type: StaticString, _ url: MediaURL, detail: String?, to writer: inout JSONWriter) {
        let word = detail.map { $0.uppercased() }.flatMap { ["AUTO", "LOW", "HIGH"].contains($0) ? $0 : nil }
        writeMedia(type, "imageUrl", url, detail: word, to: &writer)
    }

    private static func writeMedia(
        _ type: StaticString, _ member: StaticString, _ url: MediaURL, detail: String? = nil,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("type")
        writer.string(literal: type)
        writer.key(member)
        writer.beginObject()
        writer.key("url")
        writer.string(escaped: [Array(url.head.utf8)[...], url.rest])
        if let detail {
            writer.key("detail")
            writer.string(detail)
        }
        writer.endObject()
        writer.endObject()
    }

    private static func write(_ call: ChatMessage.ToolCall, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(escaped: call.id)
        writer.key("type")
        writer.string(literal: "FUNCTION")
        writer.key("name")
        writer.string(escaped: call.name)
        writer.key("arguments")
        writer.string(escaped: call.arguments)
        writer.endObject()
    }
}
