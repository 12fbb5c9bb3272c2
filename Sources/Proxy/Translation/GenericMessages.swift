/// The messages of a chat in GENERIC's form: typed parts, flat tool calls.
enum GenericMessages {
    static func write(_ messages: [ChatMessage], family: ModelFamily, to writer: inout JSONWriter) {
        writer.key("messages")
        writer.beginArray()
        var index = messages.startIndex
        while index < messages.endIndex {
            let message = messages[index]
            index += 1
            guard family.pairsToolResults, !message.toolCalls.isEmpty else {
                write(message, calls: message.toolCalls, content: message.content, family: family, to: &writer)
                continue
            }
            let results = messages[index...].prefix { $0.role == .tool }
            index += results.count
            writePairs(message, results, family: family, to: &writer)
        }
        writer.endArray()
    }

    /// One call, its result, the next call, its result; the text goes with the first call. Results to none of the calls
    /// and calls without a result stay where a reader would look for them: at the end.
    private static func writePairs(
        _ message: ChatMessage, _ results: ArraySlice<ChatMessage>, family: ModelFamily, to writer: inout JSONWriter
    ) {
        var rest = Array(results)
        for (position, call) in message.toolCalls.enumerated() {
            write(message, calls: [call], content: position == 0 ? message.content : [], family: family, to: &writer)
            guard let match = rest.firstIndex(where: { $0.toolCallID?.elementsEqual(call.id) == true }) else { continue }
            write(rest.remove(at: match), family: family, to: &writer)
        }
        for result in rest { write(result, family: family, to: &writer) }
    }

    private static func write(_ message: ChatMessage, family: ModelFamily, to writer: inout JSONWriter) {
        write(message, calls: message.toolCalls, content: message.content, family: family, to: &writer)
    }

    private static func write(
        _ message: ChatMessage, calls: [ChatMessage.ToolCall], content: [ContentPart], family: ModelFamily, to writer: inout JSONWriter
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
            writer.string(escaped: [name])
        }
        if !calls.isEmpty {
            writer.key("toolCalls")
            writer.beginArray()
            for call in calls { write(call, to: &writer) }
            writer.endArray()
        }
        if message.role == .tool, let id = message.toolCallID {
            writer.key("toolCallId")
            writer.string(escaped: [id])
        }
        writer.endObject()
    }

    private static func write(
        _ content: [ContentPart], of role: ChatMessage.Role, hasCalls: Bool, family: ModelFamily, to writer: inout JSONWriter
    ) {
        let isEmpty = content.allSatisfy { if case .text(let text) = $0 { text.isEmpty } else { false } }
        if isEmpty, role == .assistant, hasCalls, family.emptyAssistantText == nil { return }
        writer.key("content")
        writer.beginArray()
        if isEmpty {
            // A content must be there: an empty text, or what the family wants in its place.
            let filler = role == .assistant ? family.emptyAssistantText : nil
            writeText(Array((filler ?? "").utf8)[...], to: &writer)
        } else {
            for part in content { write(part, to: &writer) }
        }
        writer.endArray()
    }

    private static func write(_ part: ContentPart, to writer: inout JSONWriter) {
        switch part {
        case .text(let text): writeText(text, to: &writer)
        case .image(let url, let detail):
            let word = detail.map { $0.uppercased() }.flatMap { ["AUTO", "LOW", "HIGH"].contains($0) ? $0 : nil }
            writeMedia("IMAGE", "imageUrl", [url], detail: word, to: &writer)
        case .audio(let data, let format):
            writeMedia("AUDIO", "audioUrl", [Array("data:audio/\(format);base64,".utf8)[...], data], to: &writer)
        case .video(let url): writeMedia("VIDEO", "videoUrl", [url], to: &writer)
        case .document(let url): writeMedia("DOCUMENT", "documentUrl", [url], to: &writer)
        }
    }

    static func writeText(_ text: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "TEXT")
        writer.key("text")
        writer.string(escaped: [text])
        writer.endObject()
    }

    private static func writeMedia(
        _ type: StaticString, _ member: StaticString, _ url: [ArraySlice<UInt8>], detail: String? = nil, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("type")
        writer.string(literal: type)
        writer.key(member)
        writer.beginObject()
        writer.key("url")
        writer.string(escaped: url)
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
        writer.string(escaped: [call.id])
        writer.key("type")
        writer.string(literal: "FUNCTION")
        writer.key("name")
        writer.string(escaped: [call.name])
        writer.key("arguments")
        writer.string(escaped: [call.arguments])
        writer.endObject()
    }
}
