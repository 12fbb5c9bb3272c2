/// A whole answer of either Cohere dialect, read: one choice. All texts are escaped.
struct CohereAnswer {
    struct Call {
        /// Nil when the upstream gave none.
        let id: ArraySlice<UInt8>?
        let name: ArraySlice<UInt8>
        /// A JSON text.
        let arguments: ArraySlice<UInt8>
    }

    var texts: [ArraySlice<UInt8>] = []
    var reasoning: [ArraySlice<UInt8>] = []
    var calls: [Call] = []
    /// JSON.
    var logprobs: [UInt8]?

    /// The answer in the OpenAI form.
    ///
    /// - Parameters:
    ///   - response: where the finish reason and the token counts are.
    ///   - rules: of the request.
    ///   - envelope: id, time and model of the answer; Cohere's answers have no time of their own.
    /// - Throws: `APIError` 502 when the upstream reports a failure, or says nothing.
    func openAI(ending response: JSONValue, in envelope: ChunkEnvelope, by rules: AnswerRules) throws(APIError) -> OpenAIAnswer {
        if let failure = CohereFields.failure(of: response) { throw failure }
        let hasText = texts.contains { !$0.isEmpty }
        let hasReasoning = reasoning.contains { !$0.isEmpty }
        let isEmpty = !hasText && !hasReasoning && calls.isEmpty
        let reason = finishReason(response, isEmpty: isEmpty)
        if isEmpty, reason == .stop && !rules.allowsSilence(GenericFields.usage(response["usage"])) || reason == .toolCalls { throw GenericFields.emptyAnswer }

        var writer = JSONWriter(capacity: response.raw.count + 256)
        writer.beginObject()
        writer.key("id")
        writer.string(envelope.id)
        writer.key("object")
        writer.string(literal: "chat.completion")
        writer.key("created")
        writer.int(envelope.created)
        writer.key("model")
        writer.string(envelope.model)
        writer.key("choices")
        writer.beginArray()
        writer.beginChoice(0)
        writer.string(literal: "assistant")
        writer.key("content")
        if !hasText, !calls.isEmpty { writer.null() } else { writer.string(escaped: texts) }
        if hasReasoning {
            writer.key("reasoning_content")
            writer.string(escaped: reasoning)
        }
        writer.key("refusal")
        writer.null()
        writeCalls(answer: envelope.id, to: &writer)
        writer.endObject()
        writer.key("logprobs")
        if let logprobs { writer.raw(logprobs[...]) } else { writer.null() }
        writer.key("finish_reason")
        writer.string(reason.rawValue)
        writer.endObject()
        writer.endArray()
        let usage = GenericFields.usage(response["usage"])
        if let usage {
            writer.key("usage")
            writer.raw(usage.json[...])
        }
        writer.endObject()
        return OpenAIAnswer(body: writer.bytes, usage: usage)
    }

    private func finishReason(_ response: JSONValue, isEmpty: Bool) -> FinishReason {
        let told = CohereFields.finishReason(of: response).flatMap { GenericFields.finishReason($0, hasCalls: !calls.isEmpty, isEmpty: isEmpty) }
        return told ?? (calls.isEmpty ? .stop : .toolCalls)
    }

    private func writeCalls(answer: String, to writer: inout JSONWriter) {
        guard !calls.isEmpty else { return }
        writer.key("tool_calls")
        writer.beginArray()
        var ids = CallIDs()
        for (position, call) in calls.enumerated() {
            writer.beginObject()
            writer.key("id")
            writer.string(ids.id(for: call.id.map { JSONString.decode($0) }, answer: answer, choice: 0, call: position))
            writer.key("type")
            writer.string(literal: "function")
            writer.key("function")
            writer.beginObject()
            writer.key("name")
            writer.string(escaped: call.name)
            writer.key("arguments")
            writer.string(escaped: call.arguments)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }
}
