/// A whole GENERIC answer told as a stream, for clients that asked for one while the upstream is called without
/// (`force_non_stream`).
enum GenericAnswerAsStream {
    /// The events of the whole stream, `[DONE]` included, and the token counts.
    ///
    /// Each choice is played back as the events of a stream that has the same content, so that both ways obey one set of
    /// rules.
    ///
    /// - Throws: as `GenericToOpenAI.translate`.
    static func frames(
        of body: [UInt8], in envelope: ChunkEnvelope, includesUsage: Bool, rules: AnswerRules = AnswerRules()
    ) throws(APIError) -> (frames: [UInt8], usage: TokenUsage?) {
        let response = try GenericToOpenAI.chatResponse(body)
        var stream = GenericStream(envelope: envelope, includesUsage: includesUsage, choices: response.elements(of: "choices").count, rules: rules)
        var frames: [UInt8] = []
        frames.reserveCapacity(body.count * 2)
        // The counts first: where a text is cut, nothing behind it is looked at.
        if let usage = response.present("usage") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("usage")
            writer.raw(usage.raw)
            writer.endObject()
            _ = stream.translate(writer.bytes[...], into: &frames)
        }
        for (position, choice) in response.elements(of: "choices").enumerated() {
            let event = event(of: choice, position: position)
            if case .failed(let error) = stream.translate(event[...], into: &frames) { throw error }
        }
        if let error = stream.end(into: &frames) { throw error }
        return (frames, stream.usage)
    }

    private static func event(of choice: JSONValue, position: Int) -> [UInt8] {
        var writer = JSONWriter(capacity: choice.raw.count + 64)
        writer.beginObject()
        writer.key("index")
        writer.int(choice["index"]?.int ?? position)
        writer.key("message")
        if let message = choice.present("message") { writer.raw(message.raw) } else { writer.raw(Array("{}".utf8)[...]) }
        for name in ["finishReason", "logprobs"] as [StaticString] {
            guard let value = choice.present(name) else { continue }
            writer.key(name)
            writer.raw(value.raw)
        }
        // An empty reason says as little as none; of two members the last counts.
        if choice["finishReason"]?.isEmptyString != false {
            writer.key("finishReason")
            writer.string(literal: "stop")
        }
        writer.endObject()
        return writer.bytes
    }
}
