/// `apiFormat` GENERIC, in the habit of each family (OCI wire notes 4.1 to 4.3).
package struct GenericDialect: ChatDialect {
    package let call: ChatCall
    package let family: ModelFamily

    // MARK: Stream

    package func events(_ answer: Answer) -> [StreamEvent] {
        var events: [StreamEvent] = []
        for generation in 0..<call.generations {
            if family == .llama { events.append(.following(delta(generation, ["content": text("")]))) }
            for piece in answer.reasoning {
                events.append(.paced(delta(generation, ["reasoningContent": .string(piece)])))
            }
        }
        // Gemini's finish event carries the last piece of text.
        let carried = family == .gemini && answer.toolCalls.isEmpty ? answer.pieces.last : nil
        for piece in carried == nil ? answer.pieces[...] : answer.pieces.dropLast() {
            for generation in 0..<call.generations {
                var event = delta(generation, ["content": text(piece)])
                if call.wantsLogProbs { event["logprobs"] = logProbabilities([piece]) }
                events.append(.paced(event))
            }
        }
        for generation in 0..<call.generations {
            events += toolEvents(answer, generation)
            if answer.restatesCalls, !answer.toolCalls.isEmpty {
                let calls = answer.toolCalls.map { whole($0, id: family == .gemini ? nil : id($0, generation)) }
                events.append(.paced(delta(generation, ["toolCalls": .array(calls)])))
            }
            events.append(finish(answer, generation, carried: carried))
        }
        if call.wantsUsage { events.append(.following(["usage": answer.usage(family)])) }
        events.append(.done)
        return events
    }

    private func text(_ text: String) -> JSON { [["type": "TEXT", "text": .string(text)]] }

    private func delta(_ generation: Int, _ members: JSON) -> JSON {
        var message: JSON = ["role": "ASSISTANT"]
        for member in members.object?.members ?? [] { message[member.name] = member.value }
        return ["index": .integer(generation), "message": message]
    }

    private func toolEvents(_ answer: Answer, _ generation: Int) -> [StreamEvent] {
        switch family {
        case .grok:
            answer.toolCalls.map { call in
                .paced(delta(generation, ["toolCalls": [whole(call, id: id(call, generation))]]))
            }
        case .gemini:
            answer.toolCalls.map { call in
                .paced(delta(generation, ["content": [["type": "TEXT"]], "toolCalls": [whole(call, id: nil)]]))
            }
        case .llama, .gptOSS, .openAI, .cohere, .other:
            answer.toolCalls.flatMap { fragments($0, id: id($0, generation)) }.map { fragment in
                .paced(delta(generation, ["toolCalls": [fragment]]))
            }
        }
    }

    private func id(_ call: Answer.ToolCall, _ generation: Int) -> String? {
        guard !call.id.isEmpty else { return nil }
        let id = generation == 0 ? call.id : "\(call.id)_\(generation)"
        return family == .llama && id.hasPrefix("call_") ? "chatcmpl-tool-\(id.dropFirst("call_".count))" : id
    }

    private func whole(_ call: Answer.ToolCall, id: String?) -> JSON {
        var value = JSON.object(JSONObject())
        if let id { value["id"] = .string(id) }
        value["type"] = "FUNCTION"
        value["name"] = .string(call.name)
        value["arguments"] = .string(call.arguments.text)
        return value
    }

    /// The habit of vLLM: id and name first, then pieces of the arguments, empty ones among them.
    private func fragments(_ call: Answer.ToolCall, id: String?) -> [JSON] {
        var head: JSON = ["type": "FUNCTION"]
        if let id { head["id"] = .string(id) }
        head["name"] = .string(call.name)
        if family != .llama { head["arguments"] = "" }
        var texts: [String] = []
        var rest = call.arguments.text[...]
        while !rest.isEmpty {
            texts.append(String(rest.prefix(7)))
            rest = rest.dropFirst(7)
        }
        if family == .llama { texts.append("") }
        return [head] + texts.map { ["type": "FUNCTION", "arguments": .string($0)] }
    }

    private func finish(_ answer: Answer, _ generation: Int, carried: String?) -> StreamEvent {
        var event: JSON
        switch family {
        case .grok: event = call.generations > 1 ? ["index": .integer(generation)] : [:]
        case .llama where !answer.toolCalls.isEmpty:
            event = delta(generation, ["toolCalls": [["type": "FUNCTION", "arguments": ""]]])
        case .llama: event = delta(generation, ["content": text("")])
        case .gemini where !answer.toolCalls.isEmpty: event = delta(generation, ["content": [["type": "TEXT"]]])
        case .gemini: event = delta(generation, carried.map { ["content": text($0)] } ?? [:])
        case .gptOSS, .openAI, .cohere, .other: event = delta(generation, [:])
        }
        event["finishReason"] = .string(reason(answer))
        return .finish(event, isPaced: carried != nil)
    }

    private func reason(_ answer: Answer) -> String {
        switch answer.finish {
        case .stop, .stopSequence: "stop"
        case .length: family == .gemini ? "max_tokens" : "length"
        case .toolCalls: family == .gemini ? "stop" : "tool_calls"
        }
    }

    // MARK: Whole answer

    package func response(_ answer: Answer, now: Int) -> JSON {
        [
            "apiFormat": "GENERIC",
            "timeCreated": .string(HTTPDate.rfc3339(milliseconds: now)),
            "choices": .array((0..<call.generations).map { choice(answer, $0) }),
            "usage": answer.usage(family),
        ]
    }

    private func choice(_ answer: Answer, _ generation: Int) -> JSON {
        var choice: JSON = ["index": .integer(generation)]
        // Gemini that spent its whole limit on thinking sends no message at all.
        if !(family == .gemini && answer.visibleTokens == 0 && answer.finish == .length) {
            var message: JSON = ["role": "ASSISTANT"]
            if !answer.toolCalls.isEmpty {
                if family == .gemini { message["content"] = [["type": "TEXT"]] }
                message["toolCalls"] = .array(
                    answer.toolCalls.map { whole($0, id: family == .gemini ? nil : id($0, generation)) })
            } else if !answer.pieces.isEmpty {
                message["content"] = text(answer.text)
            }
            if !answer.reasoning.isEmpty { message["reasoningContent"] = .string(answer.reasoning.joined()) }
            choice["message"] = message
        }
        choice["finishReason"] = .string(reason(answer))
        choice["logprobs"] = call.wantsLogProbs ? logProbabilities(answer.pieces) : [:]
        return choice
    }

    private func logProbabilities(_ pieces: [String]) -> JSON {
        var offset = 0
        var offsets: [JSON] = []
        for piece in pieces {
            offsets.append(.integer(offset))
            offset += piece.count
        }
        return [
            "tokens": .array(pieces.map(JSON.string)),
            "tokenLogprobs": .array(pieces.map { _ in -0.25 }),
            "textOffset": .array(offsets),
            "topLogprobs": .array(
                pieces.map { [$0: "-0.25"] }.map { pair in
                    var object = JSONObject()
                    for (name, value) in pair { object[name] = .string(value) }
                    return .object(object)
                }),
        ]
    }
}
