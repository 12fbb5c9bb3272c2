import ProxyRouting

/// A chat for OCI's OpenAI-compatible path (OCI wire notes, 7): as the client wrote it, without the members that OpenAI's own API does
/// not have, or that the model refuses. OCI answers them with 400, and clients send many of their own.
enum OpenAIOnOCI {
    /// What a client can do without is left to the service to judge; a request without messages is none.
    ///
    /// - Parameters:
    ///   - body: a chat request as JSON, an object.
    ///   - asksUsage: a stream is to end with its usage, whatever the request says.
    /// - Throws: `Failure` 400 when `messages` is missing or no array of objects.
    static func body(of body: RequestField, for target: ChatTarget, asksUsage: Bool = false) throws(Failure)
        -> SplicedText
    {
        guard let messages = try body.member("messages")?.elements(), !messages.isEmpty else { throw .noMessages }
        for message in messages { _ = try message.object() }
        let request = body.value
        var writer = JSONWriter(capacity: 4096, isSplicing: true)
        writer.beginObject()
        writer.key("model")
        writer.string(target.modelID)
        for (key, value) in request.members where !value.isNull {
            guard let name = key.string, let member = members[name],
                member.field.map({ !target.family.refuses.contains($0) }) ?? true
            else { continue }
            writer.key(name)
            copy(value, as: member.shape, for: target.family, to: &writer)
        }
        writer.key("stream")
        writer.bool(target.isStreaming)
        let wanted = [request.present("max_completion_tokens"), request.present("max_tokens")].compactMap { $0?.int }
            .first { $0 >= 1 }
        writer.key(target.family.tokenLimit == .maxTokens ? "max_tokens" : "max_completion_tokens")
        writer.int(target.family.tokens(wanted: wanted, for: target))
        if target.isStreaming, !target.family.refuses.contains(.streamOptions) {
            write(request.present("stream_options"), asksUsage: asksUsage, to: &writer)
        }
        writer.endObject()
        return writer.text
    }

    private static func write(_ options: JSONValue?, asksUsage: Bool, to writer: inout JSONWriter) {
        guard asksUsage || options != nil else { return }
        writer.key("stream_options")
        guard asksUsage else {
            if let options { writer.raw(options.raw) }
            return
        }
        writer.beginObject()
        if let options {
            for (key, value) in options.members where !key.equals("include_usage") {
                writer.memberName(key)
                writer.raw(value.raw)
            }
        }
        writer.key("include_usage")
        writer.bool(true)
        writer.endObject()
    }

    /// What may stand in a value.
    private indirect enum Shape: Sendable {
        case anything
        /// These members.
        case object([String: Shape])
        case list(of: Shape)
        /// Who speaks: a developer is a system where a family does not know the role.
        case role
    }

    private struct Member: Sendable {
        var shape = Shape.anything
        /// What a model refuses when it refuses this member.
        var field: ModelFamily.TuningField?
    }

    /// Those that are not written here in any case.
    private static let members: [String: Member] = [
        "messages": Member(shape: .list(of: message)), "tools": Member(shape: .list(of: tool)), "tool_choice": Member(),
        "response_format": Member(), "n": Member(), "logprobs": Member(), "top_logprobs": Member(), "user": Member(),
        "prediction": Member(),
        "service_tier": Member(), "web_search_options": Member(), "temperature": Member(field: .temperature),
        "top_p": Member(field: .topP),
        "stop": Member(field: .stop), "seed": Member(field: .seed), "frequency_penalty": Member(field: .penalties),
        "presence_penalty": Member(field: .penalties), "logit_bias": Member(field: .logitBias),
        "parallel_tool_calls": Member(field: .parallelToolCalls), "reasoning_effort": Member(field: .reasoningEffort),
        "verbosity": Member(field: .verbosity), "metadata": Member(field: .metadata),
    ]

    private static let message = Shape.object([
        "role": .role, "name": .anything, "refusal": .anything, "tool_call_id": .anything,
        "content": .list(
            of: .object([
                "type": .anything, "text": .anything, "image_url": .anything, "input_audio": .anything,
                "file": .anything, "refusal": .anything,
            ])),
        "tool_calls": .list(
            of: .object([
                "id": .anything, "type": .anything, "function": .object(["name": .anything, "arguments": .anything]),
            ])),
    ])

    private static let tool = Shape.object([
        "type": .anything,
        "function": .object(["name": .anything, "description": .anything, "parameters": .anything, "strict": .anything]
        ),
    ])

    private static func copy(_ value: JSONValue, as shape: Shape, for family: ModelFamily, to writer: inout JSONWriter)
    {
        switch (shape, value.kind) {
        case (.object(let members), .object):
            writer.beginObject()
            for (key, value) in value.members {
                guard let name = key.string, let inner = members[name] else { continue }
                writer.key(name)
                copy(value, as: inner, for: family, to: &writer)
            }
            writer.endObject()
        case (.list(let inner), .array):
            writer.beginArray()
            for element in value.elements { copy(element, as: inner, for: family, to: &writer) }
            writer.endArray()
        case (.role, _) where !family.hasDeveloperRole && value.equals("developer"): writer.string(literal: "system")
        default: writer.raw(value.raw)
        }
    }
}
