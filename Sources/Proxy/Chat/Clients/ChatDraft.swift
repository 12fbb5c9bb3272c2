import ProxyRouting

/// A chat completion's request that is put together out of another dialect's. Texts are slices of the client's body, escapes untouched.
struct ChatDraft {
    enum Role { case system, user, assistant, tool }

    enum Part {
        /// One text, in pieces.
        case text([ArraySlice<UInt8>])
        /// A part of chat completions, written.
        case other([UInt8])
    }

    struct Call {
        /// All three escaped.
        let id: ArraySlice<UInt8>
        let name: ArraySlice<UInt8>
        let arguments: ArraySlice<UInt8>
    }

    struct Message {
        let role: Role
        var parts: [Part] = []
        /// What the model had thought, escaped.
        var reasoning: [ArraySlice<UInt8>] = []
        var calls: [Call] = []
        /// Of a result, escaped.
        var callID: ArraySlice<UInt8>?
        /// What it was in the client's request.
        var source: JSONValue?
    }

    var messages: [Message] = []
    /// Members of the request beside `model`, `messages` and those of streaming, each a value of JSON, in their order.
    private(set) var members: [(name: StaticString, value: [UInt8])] = []

    private static let mostParts = 100_000

    /// What stands between two texts that become one.
    static let joint = Array(#"\n\n"#.utf8)[...]

    mutating func set(_ name: StaticString, _ value: ArraySlice<UInt8>) { members.append((name, Array(value))) }
    mutating func set(_ name: StaticString, _ value: [UInt8]) { members.append((name, value)) }
    mutating func set(_ name: StaticString, _ value: StaticString) { members.append((name, Array(value.utf8))) }
    /// Sends a member on as the client has it, under another name perhaps; none that is absent or null.
    mutating func set(_ name: StaticString, _ field: RequestField?) { if let field { set(name, field.value.raw) } }

    // MARK: Turns

    /// The assistant's turn that is open: repeats of a role are one turn.
    mutating func assistant(_ source: JSONValue?, _ change: (inout Message) -> Void) {
        if messages.last?.role != .assistant { messages.append(Message(role: .assistant, source: source)) }
        change(&messages[messages.count - 1])
    }

    /// Puts each result right behind its call, in the order of the calls, as most upstreams insist: one that is missing is named as such, one without a call
    /// becomes a text of the user's.
    ///
    /// - Throws: 400 for more messages than any real chat has: each takes several times its bytes.
    mutating func pairResults() throws(Failure) {
        let parts = messages.reduce(messages.count) { $0 + $1.parts.count + $1.calls.count }
        guard parts <= Self.mostParts else {
            throw .invalidRequest(
                "The request has more than \(Self.mostParts) messages, parts and calls, the limit of this proxy.",
                field: "messages", as: .tooManyMessages)
        }
        var results: [ArraySlice<UInt8>: [Int]] = [:]
        for index in messages.indices.reversed() where messages[index].role == .tool {
            results[messages[index].callID ?? [], default: []].append(index)
        }
        guard !results.isEmpty || messages.contains(where: { !$0.calls.isEmpty }) else { return }
        var taken: Set<Int> = []
        var paired: [Message] = []
        for (index, message) in messages.enumerated() where !taken.contains(index) {
            guard message.role != .tool else {
                // Nobody has asked for it.
                if results[message.callID ?? []]?.last == index { results[message.callID ?? []]?.removeLast() }
                paired.append(Message(role: .user, parts: message.parts, source: message.source))
                continue
            }
            paired.append(message)
            for call in message.calls {
                while let first = results[call.id]?.last, first < index { results[call.id]?.removeLast() }
                if let found = results[call.id]?.popLast() {
                    taken.insert(found)
                    paired.append(messages[found])
                } else {
                    let missing = Part.text([Array("(no result)".utf8)[...]])
                    paired.append(Message(role: .tool, parts: [missing], callID: call.id, source: message.source))
                }
            }
        }
        messages = paired
    }

    // MARK: Writing

    /// The request.
    ///
    /// - Parameter isStreaming: with the token counts, which every dialect but chat completions tells.
    func written(model: ArraySlice<UInt8>, isStreaming: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        writer.key("model")
        writer.string(escaped: model)
        writer.key("messages")
        writer.beginArray()
        for message in messages { message.write(to: &writer) }
        writer.endArray()
        for member in members {
            writer.key(member.name)
            writer.raw(member.value[...])
        }
        if isStreaming {
            writer.key("stream")
            writer.bool(true)
            writer.key("stream_options")
            writer.raw(Array(#"{"include_usage":true}"#.utf8)[...])
        }
        writer.endObject()
        return writer.bytes
    }
}

extension ChatDraft.Message {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("role")
        switch role {
        case .system: writer.string(literal: "system")
        case .user: writer.string(literal: "user")
        case .assistant: writer.string(literal: "assistant")
        case .tool: writer.string(literal: "tool")
        }
        if let callID {
            writer.key("tool_call_id")
            writer.string(escaped: callID)
        }
        writer.key("content")
        writeContent(to: &writer)
        if reasoning.contains(where: { !$0.isEmpty }) {
            writer.key("reasoning_content")
            writer.string(escaped: Self.joined(reasoning.filter { !$0.isEmpty }.map { [$0] }))
        }
        if !calls.isEmpty {
            writer.key("tool_calls")
            writer.beginArray()
            for call in calls {
                writer.beginObject()
                writer.key("id")
                writer.string(escaped: call.id)
                writer.endCall(of: call.name, with: [call.arguments])
            }
            writer.endArray()
        }
        writer.endObject()
    }

    /// A string wherever there is only text: every upstream takes it.
    private func writeContent(to writer: inout JSONWriter) {
        var texts: [[ArraySlice<UInt8>]] = []
        for part in parts { if case .text(let pieces) = part { texts.append(pieces) } }
        guard texts.count < parts.count else {
            if texts.isEmpty, role == .assistant { writer.null() } else { writer.string(escaped: Self.joined(texts)) }
            return
        }
        writer.beginArray()
        for part in parts {
            switch part {
            case .text(let pieces):
                writer.beginObject()
                writer.key("type")
                writer.string(literal: "text")
                writer.key("text")
                writer.string(escaped: pieces)
                writer.endObject()
            case .other(let written): writer.raw(written[...])
            }
        }
        writer.endArray()
    }

    private static func joined(_ texts: [[ArraySlice<UInt8>]]) -> [ArraySlice<UInt8>] {
        Array(texts.joined(separator: [ChatDraft.joint]))
    }
}

extension ChatDraft {
    /// Which part of the client's request each message of the chat was made of, to say what is to blame in the client's own words.
    var places: [JSONValue?] { messages.map(\.source) }

    /// A text as it stands between the quotes of a JSON string.
    static func escaped(_ text: String) -> ArraySlice<UInt8> {
        var bytes: [UInt8] = []
        JSONString.append(text, to: &bytes)
        return bytes[...]
    }

    /// A JSON text as the content of a JSON string.
    static func escaped(json: ArraySlice<UInt8>) -> ArraySlice<UInt8> { escaped(String(decoding: json, as: UTF8.self)) }

    /// An image of chat completions.
    ///
    /// - Parameter url: escaped, in pieces.
    static func image(_ url: [ArraySlice<UInt8>], detail: JSONValue? = nil) -> Part {
        var writer = JSONWriter(capacity: url.reduce(128) { $0 + $1.count })
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "image_url")
        writer.key("image_url")
        writer.beginObject()
        writer.key("url")
        writer.string(escaped: url)
        if let detail {
            writer.key("detail")
            writer.raw(detail.raw)
        }
        writer.endObject()
        writer.endObject()
        return .other(writer.bytes)
    }

    /// A file of chat completions. All escaped.
    static func file(named name: ArraySlice<UInt8>, _ data: [ArraySlice<UInt8>]) -> Part {
        var writer = JSONWriter(capacity: data.reduce(128) { $0 + $1.count })
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "file")
        writer.key("file")
        writer.beginObject()
        writer.key("filename")
        writer.string(escaped: name)
        writer.key("file_data")
        writer.string(escaped: data)
        writer.endObject()
        writer.endObject()
        return .other(writer.bytes)
    }

    /// A result of a tool, and what of it is no text and therefore goes into the user's message behind it.
    ///
    /// - Parameters:
    ///   - lines: its texts, each in pieces.
    ///   - attachments: parts that upstreams take from a user only.
    static func result(lines: [[ArraySlice<UInt8>]], attachments: Int) -> [ArraySlice<UInt8>] {
        var lines = lines
        if attachments > 0 {
            lines.append([escaped("[\(attachments) attachment\(attachments > 1 ? "s" : "") in the next message]")])
        }
        return Array(lines.joined(separator: [Array(#"\n"#.utf8)[...]]))
    }

    /// What stands in front of attachments that were parts of results.
    static let attachmentsTitle = Part.text([escaped("Attachments of the tool results above:")])
}
