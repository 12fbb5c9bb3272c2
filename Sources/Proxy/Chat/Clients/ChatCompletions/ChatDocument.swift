import ProxyRouting

/// Gathers what a model says into the one document of a chat completion.
struct ChatDocument: ChatDocumentSink {
    private let envelope: ChunkEnvelope
    private var created: Int?
    private var choices: [Choice] = []
    private var counts: TokenUsage?

    /// All texts are escaped.
    fileprivate struct Choice {
        let index: Int
        var texts: [ArraySlice<UInt8>] = []
        var reasoning: [ArraySlice<UInt8>] = []
        var refusal: [ArraySlice<UInt8>] = []
        var calls: [Call] = []
        /// Objects in OpenAI's form, one for each piece that had one.
        var logprobs: [[UInt8]] = []
        var annotations: [UInt8]?
        var reason = FinishReason.stop
    }

    fileprivate struct Call {
        let id: String
        let name: ArraySlice<UInt8>
        var arguments: [ArraySlice<UInt8>]
    }

    /// - Parameter envelope: id, model and time of the answer; the upstream's own time is used where it tells one.
    init(_ envelope: ChunkEnvelope) {
        self.envelope = envelope
    }

    /// Nothing has been told.
    var isEmpty: Bool { choices.isEmpty }

    // MARK: Gathering

    mutating func created(at seconds: Int) { created = seconds }

    mutating func begin(choice: Int) {
        if place(of: choice) == nil { choices.append(Choice(index: choice)) }
    }

    mutating func text(_ escaped: ArraySlice<UInt8>, logprobs: [UInt8]?, choice: Int) {
        change(choice) { choice in
            choice.texts.append(escaped)
            if let logprobs { choice.logprobs.append(logprobs) }
        }
    }

    mutating func reasoning(_ escaped: ArraySlice<UInt8>, choice: Int) {
        change(choice) { $0.reasoning.append(escaped) }
    }

    mutating func refusal(_ escaped: ArraySlice<UInt8>, choice: Int) { change(choice) { $0.refusal.append(escaped) } }

    mutating func toolCall(_ call: Int, id: String, name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, choice: Int)
    {
        change(choice) { $0.calls.append(Call(id: id, name: name, arguments: [arguments])) }
    }

    mutating func arguments(_ escaped: ArraySlice<UInt8>, of call: Int, choice: Int) {
        change(choice) { $0.calls[$0.calls.count - 1].arguments.append(escaped) }
    }

    mutating func annotations(_ json: [UInt8], choice: Int) { change(choice) { $0.annotations = json } }

    mutating func finish(_ reason: FinishReason, choice: Int) { change(choice) { $0.reason = reason } }

    mutating func usage(_ usage: TokenUsage) { counts = usage }

    mutating func end() {}

    private func place(of choice: Int) -> Int? { choices.firstIndex { $0.index == choice } }

    private mutating func change(_ choice: Int, _ body: (inout Choice) -> Void) {
        begin(choice: choice)
        if let place = place(of: choice) { body(&choices[place]) }
    }

    // MARK: Writing

    func written(capacity: Int) -> ClientResponse {
        var writer = JSONWriter(capacity: capacity)
        writer.beginObject()
        writer.key("id")
        writer.string(envelope.id)
        writer.key("object")
        writer.string(literal: "chat.completion")
        writer.key("created")
        writer.int(created ?? envelope.created)
        writer.key("model")
        writer.string(envelope.model)
        writer.key("choices")
        writer.beginArray()
        for choice in choices.sorted(by: { $0.index < $1.index }) { choice.write(to: &writer) }
        writer.endArray()
        if let counts {
            writer.key("usage")
            writer.raw(counts.json[...])
        }
        writer.endObject()
        return ClientResponse(body: writer.bytes, usage: counts)
    }
}

extension ChatDocument.Choice {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginChoice(index)
        writer.string(literal: "assistant")
        writer.key("content")
        if !texts.contains(where: { !$0.isEmpty }), !calls.isEmpty || !refusal.isEmpty {
            writer.null()
        } else {
            writer.string(escaped: texts)
        }
        if !reasoning.isEmpty {
            writer.key("reasoning_content")
            writer.string(escaped: reasoning)
        }
        writer.key("refusal")
        if refusal.isEmpty { writer.null() } else { writer.string(escaped: refusal) }
        writeCalls(to: &writer)
        if let annotations {
            writer.key("annotations")
            writer.raw(annotations[...])
        }
        writer.endObject()
        writer.key("logprobs")
        writeLogprobs(to: &writer)
        writer.key("finish_reason")
        writer.string(reason.word)
        writer.endObject()
    }

    private func writeCalls(to writer: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        writer.key("tool_calls")
        writer.beginArray()
        for call in calls {
            writer.beginObject()
            writer.key("id")
            writer.string(call.id)
            writer.endCall(of: call.name, with: call.arguments)
        }
        writer.endArray()
    }

    private func writeLogprobs(to writer: inout JSONWriter) {
        guard logprobs.count > 1 else {
            if let only = logprobs.first { writer.raw(only[...]) } else { writer.null() }
            return
        }
        writer.beginObject()
        writer.key("content")
        writer.beginArray()
        for piece in logprobs {
            guard let root = try? JSONDocument(parsing: piece).root else { continue }
            for token in root.elements(of: "content") { writer.raw(token.raw) }
        }
        writer.endArray()
        writer.key("refusal")
        writer.null()
        writer.endObject()
    }
}
