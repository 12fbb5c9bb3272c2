import ProxyRouting

/// The messages of a chat in COHERE's form (OCI wire notes, 3.4 and 5.5): what is asked now, what the model is to be, and the
/// history. Tool calls have no ids: a result repeats the call that it answers.
///
/// The results of the running turn go out beside an empty `message`; the service refuses both at once. Entries of the history
/// must have a text, so a blank stands for none.
struct CohereMessages {
    static func write(_ messages: [ChatMessage], names: CohereToolNames, to writer: inout JSONWriter) throws(Failure) {
        var chat = CohereMessages()
        for step in ToolResultOrder.arrange(messages, pairsToolCalls: false) {
            guard case .whole(let index) = step else { continue }
            try chat.add(messages[index], at: index, names: names)
        }
        chat.write(to: &writer)
    }

    private struct Call {
        let name: String
        /// A JSON object.
        let parameters: ArraySlice<UInt8>
    }

    private struct Result {
        let call: Call
        /// Escaped.
        let output: [UInt8]
    }

    /// Texts are escaped.
    private enum Entry {
        case user([UInt8])
        case chatbot([UInt8], [Call])
        /// Some of `results`.
        case results(Range<Int>)
    }

    private var preamble: [[UInt8]] = []
    private var entries: [Entry] = []
    private var results: [Result] = []
    /// The calls so far, by their ids, which differ within a turn; of two turns the later counts.
    private var calls: [ArraySlice<UInt8>: Call] = [:]

    // MARK: Reading

    private mutating func add(_ message: ChatMessage, at index: Int, names: CohereToolNames) throws(Failure) {
        let text = try Self.text(of: message, at: index)
        switch message.role {
        case .system, .developer:
            if !text.isEmpty { preamble.append(text) }
        case .user:
            if case .results(let range) = entries.last {
                // Some versions refuse a question straight after results: what the model would have said stands between.
                entries.append(.chatbot(Self.joined(results[range].map(\.output)), []))
            }
            entries.append(.user(text))
        case .assistant:
            var made: [Call] = []
            for call in message.toolCalls {
                let known = Call(
                    name: names.cohere(JSONString.decode(call.name)), parameters: Self.parameters(call.arguments))
                calls[call.id] = known
                made.append(known)
            }
            entries.append(.chatbot(text, made))
        case .tool:
            let id = message.toolCallID ?? []
            guard let call = calls[id] else {
                throw .invalidRequest(
                    "'messages[\(index)].tool_call_id' is '\(JSONString.decode(id).prefix(100))', but no earlier assistant message has a tool call with this id.",
                    field: "messages[\(index)].tool_call_id", as: .value)
            }
            results.append(Result(call: call, output: text))
            if case .results(let earlier) = entries.last {
                entries[entries.count - 1] = .results(earlier.lowerBound..<results.count)
            } else {
                entries.append(.results(results.count - 1..<results.count))
            }
        }
    }

    private static func text(of message: ChatMessage, at index: Int) throws(Failure) -> [UInt8] {
        var texts: [[UInt8]] = []
        for part in message.content {
            guard let text = part.text else { throw part.refusal(in: index, takes: "text") }
            if !text.isEmpty { texts.append(Array(text)) }
        }
        if let refusal = message.refusal, !refusal.isEmpty { texts.append(Array(refusal)) }
        return joined(texts)
    }

    /// With a newline between each two; all escaped.
    private static func joined(_ texts: [[UInt8]]) -> [UInt8] {
        Array(texts.joined(separator: Array(#"\n"#.utf8)))
    }

    /// Arguments are a JSON text, parameters an object. What a model got wrong back then is kept under a name of its own.
    private static func parameters(_ arguments: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let text = JSONString.decode(arguments)
        if let root = try? JSONDocument(parsing: Array(text.utf8)).root, root.kind == .object { return root.raw }
        var writer = JSONWriter()
        writer.beginObject()
        if text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }), text != "null" {
            writer.key("arguments")
            writer.string(escaped: arguments)
        }
        writer.endObject()
        return writer.bytes[...]
    }

    // MARK: Writing

    private func write(to writer: inout JSONWriter) {
        let blank = Array(" ".utf8)
        var history = entries[...]
        var preamble = Self.joined(preamble)
        var message = blank
        var answered = 0..<0
        switch history.last {
        case .results(let last):
            answered = last
            message = []
            history.removeLast()
        case .user, .chatbot:
            // The last question is what is asked now, also when something has been said to it already.
            if let index = history.lastIndex(where: { if case .user = $0 { true } else { false } }),
                case .user(let text) = history[index]
            {
                message = text.isEmpty ? blank : text
                history = history[..<index] + history[(index + 1)...]
            }
        case nil:
            // Nobody asks anything: then the instructions are the question.
            if !preamble.isEmpty { message = preamble }
            preamble = []
        }
        if !preamble.isEmpty {
            writer.key("preambleOverride")
            writer.string(escaped: preamble[...])
        }
        if !history.isEmpty {
            writer.key("chatHistory")
            writer.beginArray()
            for entry in history { write(entry, to: &writer) }
            writer.endArray()
        }
        writer.key("message")
        writer.string(escaped: message[...])
        write(results[answered], to: &writer)
    }

    private func write(_ entry: Entry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("role")
        switch entry {
        case .user(let text):
            writer.string(literal: "USER")
            Self.write(message: text, to: &writer)
        case .chatbot(let text, let calls):
            writer.string(literal: "CHATBOT")
            Self.write(message: text, to: &writer)
            if !calls.isEmpty {
                writer.key("toolCalls")
                writer.beginArray()
                for call in calls { Self.write(call, to: &writer) }
                writer.endArray()
            }
        case .results(let range):
            writer.string(literal: "TOOL")
            write(results[range], to: &writer)
        }
        writer.endObject()
    }

    private static func write(message text: [UInt8], to writer: inout JSONWriter) {
        writer.key("message")
        if text.isEmpty { writer.string(literal: " ") } else { writer.string(escaped: text[...]) }
    }

    private static func write(_ call: Call, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(call.name)
        writer.key("parameters")
        writer.raw(call.parameters)
        writer.endObject()
    }

    private func write(_ results: ArraySlice<Result>, to writer: inout JSONWriter) {
        guard !results.isEmpty else { return }
        writer.key("toolResults")
        writer.beginArray()
        for result in results {
            writer.beginObject()
            writer.key("call")
            Self.write(result.call, to: &writer)
            writer.key("outputs")
            writer.beginArray()
            writer.beginObject()
            writer.key("output")
            writer.string(escaped: result.output[...])
            writer.endObject()
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
    }
}
