/// OpenAI's own form of an answer: `chat.completion`, and `chat.completion.chunk` for streams.
package struct OpenAIDialect: Sendable {
    package let call: ChatCall
    package let model: CatalogueModel
    /// The same in all chunks of a stream.
    package let id: String
    /// Seconds since 1970.
    package let created: Int

    private var family: ModelFamily { ModelFamily(model: model.habitsOf) }

    // MARK: Stream

    /// All events of the stream, `[DONE]` included.
    package func events(_ answer: Answer) -> [StreamEvent] {
        let generations = 0..<call.generations
        var events: [StreamEvent] = []
        for generation in generations {
            events.append(event(generation, ["role": "assistant", "content": ""], isPaced: false))
            for piece in answer.reasoning {
                events.append(event(generation, ["reasoning_content": .string(piece)]))
            }
        }
        for piece in answer.pieces {
            for generation in generations {
                events.append(event(generation, ["content": .string(piece)], logprobs: logprobs([piece])))
            }
        }
        for generation in generations {
            events += answer.toolCalls.enumerated().flatMap { index, call in
                deltas(call, number(index, answer), generation).map { event(generation, ["tool_calls": [$0]]) }
            }
            if answer.restatesCalls, !answer.toolCalls.isEmpty {
                let calls = answer.toolCalls.enumerated().map { index, call in
                    numbered(whole(call, generation), number(index, answer))
                }
                events.append(event(generation, ["tool_calls": .array(calls)]))
            }
            var last = event(generation, [:], reason: reason(answer), isPaced: false)
            last.isFinish = true
            events.append(last)
        }
        if call.wantsUsage {
            var chunk = chunk(choices: [])
            chunk["usage"] = usage(answer)
            events.append(StreamEvent(payload: .unpadded(chunk), isPaced: false))
        }
        events.append(.done)
        return events
    }

    private func event(
        _ generation: Int, _ delta: JSON, logprobs: JSON = .null, reason: JSON = .null, isPaced: Bool = true
    ) -> StreamEvent {
        var chunk = chunk(choices: [
            ["index": .integer(generation), "delta": delta, "logprobs": logprobs, "finish_reason": reason]
        ])
        // With the usage asked for, each chunk has the member.
        if call.wantsUsage { chunk["usage"] = .null }
        return StreamEvent(payload: .unpadded(chunk), isPaced: isPaced)
    }

    private func chunk(choices: [JSON]) -> JSON {
        [
            "id": .string(id), "object": "chat.completion.chunk", "created": .integer(created),
            "model": .string(model.name), "choices": .array(choices),
        ]
    }

    /// xAI sends each call whole; the others begin with id and name and go on with pieces of the arguments.
    private func deltas(_ call: Answer.ToolCall, _ index: Int?, _ generation: Int) -> [JSON] {
        var head = numbered(whole(call, generation), index)
        guard family != .grok else { return [head] }
        head["function"] = ["name": .string(call.name), "arguments": ""]
        var rest = call.arguments.text[...]
        var deltas = [head]
        while !rest.isEmpty {
            deltas.append(numbered(["function": ["arguments": .string(String(rest.prefix(7)))]], index))
            rest = rest.dropFirst(7)
        }
        return deltas
    }

    private func number(_ index: Int, _ answer: Answer) -> Int? {
        switch answer.callNumbers {
        case .inOrder: index
        case .zero: 0
        case .none: nil
        }
    }

    private func numbered(_ entry: JSON, _ index: Int?) -> JSON {
        var entry = entry
        if let index { entry["index"] = .integer(index) }
        return entry
    }

    // MARK: Whole answer

    package func response(_ answer: Answer) -> JSON {
        [
            "id": .string(id), "object": "chat.completion", "created": .integer(created), "model": .string(model.name),
            "choices": .array((0..<call.generations).map { choice(answer, $0) }), "usage": usage(answer),
        ]
    }

    private func choice(_ answer: Answer, _ generation: Int) -> JSON {
        var message: JSON = [
            "role": "assistant", "content": answer.toolCalls.isEmpty ? .string(answer.text) : .null, "refusal": .null,
        ]
        if !answer.toolCalls.isEmpty {
            message["tool_calls"] = .array(answer.toolCalls.map { whole($0, generation) })
        }
        if !answer.reasoning.isEmpty { message["reasoning_content"] = .string(answer.reasoning.joined()) }
        return [
            "index": .integer(generation), "message": message, "logprobs": logprobs(answer.pieces),
            "finish_reason": reason(answer),
        ]
    }

    // MARK: Both

    private func whole(_ call: Answer.ToolCall, _ generation: Int) -> JSON {
        let id = generation == 0 ? call.id : "\(call.id)_\(generation)"
        let isOfLlama = family == .llama && id.hasPrefix("call_")
        var value: JSON = [
            "id": .string(isOfLlama ? "chatcmpl-tool-\(id.dropFirst("call_".count))" : id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments.text)],
        ]
        if call.id.isEmpty { value["id"] = nil }
        return value
    }

    private func reason(_ answer: Answer) -> JSON {
        switch answer.finish {
        case .stop, .stopSequence: "stop"
        case .length: "length"
        case .toolCalls: "tool_calls"
        }
    }

    private func logprobs(_ pieces: [String]) -> JSON {
        guard call.wantsLogProbs else { return .null }
        let content = pieces.map { piece -> JSON in
            let bytes = JSON.array(piece.utf8.map { .integer(Int($0)) })
            return ["token": .string(piece), "logprob": -0.25, "bytes": bytes, "top_logprobs": []]
        }
        return ["content": .array(content), "refusal": .null]
    }

    /// The family's arithmetic (OCI wire notes 3.3) under OpenAI's names.
    private func usage(_ answer: Answer) -> JSON { Self.renamed(answer.usage(family)) }

    private static let names = [
        "promptTokens": "prompt_tokens", "completionTokens": "completion_tokens", "totalTokens": "total_tokens",
        "completionTokensDetails": "completion_tokens_details", "promptTokensDetails": "prompt_tokens_details",
        "reasoningTokens": "reasoning_tokens", "cachedTokens": "cached_tokens",
    ]

    private static func renamed(_ value: JSON) -> JSON {
        guard let object = value.object else { return value }
        var result = JSONObject()
        for member in object.members { result[names[member.name] ?? member.name] = renamed(member.value) }
        return .object(result)
    }
}
