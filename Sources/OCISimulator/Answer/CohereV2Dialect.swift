/// `apiFormat` COHEREV2: thinking first, true deltas, no `[DONE]` (OCI wire notes 4.5).
package struct CohereV2Dialect: ChatDialect {
    package let call: ChatCall

    package func events(_ answer: Answer) -> [StreamEvent] {
        var events: [StreamEvent] = answer.reasoning.map { .paced(event(["content": [thinking($0)]])) }
        events += answer.pieces.map { .paced(event(["content": [text($0)]])) }
        events += answer.toolCalls.map { .paced(event(["toolCalls": [nested($0)]])) }
        if answer.restatesCalls, !answer.toolCalls.isEmpty {
            events.append(.paced(event(["toolCalls": .array(answer.toolCalls.map(nested))])))
        }
        var last = event([:])
        last["finishReason"] = .string(reason(answer))
        if call.wantsUsage { last["usage"] = answer.usage(.cohere) }
        events.append(.finish(last))
        return events
    }

    package func response(_ answer: Answer, now: Int) -> JSON {
        var content: [JSON] = answer.reasoning.isEmpty ? [] : [thinking(answer.reasoning.joined())]
        if !answer.pieces.isEmpty { content.append(text(answer.text)) }
        var message: JSON = ["role": "ASSISTANT", "content": .array(content)]
        if !answer.toolCalls.isEmpty {
            message["toolPlan"] = "I will look."
            message["toolCalls"] = .array(answer.toolCalls.map(nested))
        }
        return [
            "apiFormat": "COHEREV2", "id": .string("chat-\(now)"), "message": message,
            "finishReason": .string(reason(answer)), "usage": answer.usage(.cohere),
        ]
    }

    private func event(_ members: JSON) -> JSON {
        var message: JSON = ["role": "ASSISTANT"]
        for member in members.object?.members ?? [] { message[member.name] = member.value }
        return ["apiFormat": "COHEREV2", "message": message]
    }

    private func text(_ text: String) -> JSON { ["type": "TEXT", "text": .string(text)] }
    private func thinking(_ text: String) -> JSON { ["type": "THINKING", "thinking": .string(text)] }

    private func nested(_ call: Answer.ToolCall) -> JSON {
        var value: JSON = [
            "id": .string(call.id), "type": "FUNCTION",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments.text)],
        ]
        if call.id.isEmpty { value["id"] = nil }
        return value
    }

    private func reason(_ answer: Answer) -> String {
        switch answer.finish {
        case .stop: "COMPLETE"
        case .stopSequence: "STOP_SEQUENCE"
        case .length: "MAX_TOKENS"
        case .toolCalls: "TOOL_CALL"
        }
    }
}
