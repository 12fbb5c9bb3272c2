/// A whole answer in the OpenAI form.
struct OpenAIAnswer: Equatable, Sendable {
    /// The `chat.completion` document.
    let body: [UInt8]
    let usage: TokenUsage?
    /// What the upstream has said oddly.
    var oddities: Oddities = []
}

/// A whole GENERIC answer (ChatResult), translated.
enum GenericToOpenAI {
    /// - Parameters:
    ///   - envelope: id and model of the answer; its `created` is used where the upstream names no time.
    /// - Throws: `APIError` 502 when the document is no answer, or one that says nothing.
    static func translate(_ body: [UInt8], in envelope: ChunkEnvelope, rules: AnswerRules = AnswerRules()) throws(APIError) -> OpenAIAnswer {
        let response = try chatResponse(body)
        let id = envelope.id
        var writer = JSONWriter(capacity: body.count + 256)
        writer.beginObject()
        writer.key("id")
        writer.string(id)
        writer.key("object")
        writer.string("chat.completion")
        writer.key("created")
        writer.int(response["timeCreated"]?.string.flatMap(RFC3339.seconds) ?? envelope.created)
        writer.key("model")
        writer.string(envelope.model)
        writer.key("choices")
        writer.beginArray()
        let usage = GenericFields.usage(response["usage"])
        let maySayNothing = rules.allowsSilence(usage)
        for (position, choice) in response.elements(of: "choices").enumerated() {
            try write(choice, position: position, answer: id, rules, maySayNothing: maySayNothing, to: &writer)
        }
        writer.endArray()
        if let usage {
            writer.key("usage")
            writer.raw(usage.json[...])
        }
        writer.endObject()
        return OpenAIAnswer(body: writer.bytes, usage: usage)
    }

    /// The `chatResponse` of a ChatResult with at least one choice.
    static func chatResponse(_ body: [UInt8]) throws(APIError) -> JSONValue {
        guard let response = try? JSONDocument(parsing: body).root["chatResponse"],
            response.elements(of: "choices").contains(where: { $0.kind == .object })
        else { throw GenericFields.invalidAnswer(body) }
        return response
    }

    private static func write(
        _ choice: JSONValue, position: Int, answer: String, _ rules: AnswerRules, maySayNothing: Bool, to writer: inout JSONWriter
    ) throws(APIError) {
        let message = choice["message"]
        var texts = text(of: message)
        var calls = GenericFields.calls(of: message)
        if rules.hasOneCall { calls = Array(calls.prefix(1)) }
        let isCut = cut(&texts, by: rules.stops)
        if isCut { calls = [] }
        let reasoning = message?["reasoningContent"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let refusal = message?["refusal"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }
        let index = choice["index"]?.int ?? position
        let hasText = texts.contains { !$0.isEmpty }
        let isEmpty = !hasText && calls.isEmpty && reasoning == nil && refusal == nil
        guard let reason = isCut ? .stop : finishReason(choice, hasCalls: !calls.isEmpty, isEmpty: isEmpty) else {
            throw APIError(
                status: 502, message: "The upstream broke the answer off with an error. Try again.", type: "upstream_error", code: "upstream_error", kind: .failed)
        }
        if isEmpty, !(isCut || maySayNothing && reason == .stop), reason == .stop || reason == .toolCalls { throw GenericFields.emptyAnswer }

        writer.beginChoice(index)
        writer.string(literal: "assistant")
        writer.key("content")
        if !hasText, !calls.isEmpty || refusal != nil { writer.null() } else { writer.string(escaped: texts) }
        if let reasoning {
            writer.key("reasoning_content")
            writer.string(escaped: reasoning)
        }
        writer.key("refusal")
        if let refusal { writer.string(escaped: refusal) } else { writer.null() }
        write(calls, choice: index, answer: answer, to: &writer)
        write(annotations: message?.elements(of: "annotations") ?? [], to: &writer)
        writer.endObject()
        writer.key("logprobs")
        if let logprobs = GenericFields.logprobs(choice["logprobs"]) { writer.raw(logprobs[...]) } else { writer.null() }
        writer.key("finish_reason")
        writer.string(reason.rawValue)
        writer.endObject()
    }

    /// Ends the text before the first of the stop sequences.
    ///
    /// - Returns: whether there is one.
    private static func cut(_ texts: inout [ArraySlice<UInt8>], by stops: [[UInt8]]) -> Bool {
        guard !stops.isEmpty else { return false }
        var cutter = StopCutter(stops)
        var kept = texts.map { cutter.take($0)[...] }
        if !cutter.hasStopped { kept.append(cutter.end()[...]) }
        texts = kept
        return cutter.hasStopped
    }

    private static func finishReason(_ choice: JSONValue, hasCalls: Bool, isEmpty: Bool) -> FinishReason? {
        guard let value = choice.present("finishReason") else { return hasCalls ? .toolCalls : .stop }
        return GenericFields.finishReason(value, hasCalls: hasCalls, isEmpty: isEmpty)
    }

    /// The text parts, escaped; a part may lack its text.
    static func text(of message: JSONValue?) -> [ArraySlice<UInt8>] {
        message?.elements(of: "content").compactMap { $0["text"]?.rawString } ?? []
    }

    private static func write(_ calls: [JSONValue], choice: Int, answer: String, to writer: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        writer.key("tool_calls")
        writer.beginArray()
        var ids = CallIDs()
        for (position, call) in calls.enumerated() {
            writer.beginObject()
            writer.key("id")
            writer.string(ids.id(for: call["id"]?.string, answer: answer, choice: choice, call: position))
            writer.key("type")
            writer.string(literal: "function")
            writer.key("function")
            writer.beginObject()
            writer.key("name")
            writer.string(escaped: call["name"]?.rawString ?? [])
            writer.key("arguments")
            let arguments = GenericFields.arguments(of: call)
            if arguments.isEmpty { writer.string(literal: "{}") } else { writer.string(escaped: arguments) }
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(annotations: [JSONValue], to writer: inout JSONWriter) {
        guard !annotations.isEmpty else { return }
        writer.key("annotations")
        writer.beginArray()
        for annotation in annotations {
            guard let citation = annotation["urlCitation"] else { continue }
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "url_citation")
            writer.key("url_citation")
            writer.beginObject()
            for (name, theirs) in [("start_index", "startIndex"), ("end_index", "endIndex"), ("title", "title"), ("url", "url")] as [(StaticString, StaticString)] {
                guard let value = citation.present(theirs) else { continue }
                writer.key(name)
                writer.raw(value.raw)
            }
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }
}
