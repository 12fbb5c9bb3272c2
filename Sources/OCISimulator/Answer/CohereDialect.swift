/// `apiFormat` COHERE: the last event repeats everything, there is no `[DONE]` (OCI wire notes 4.4).
package struct CohereDialect: ChatDialect {
    package let call: ChatCall

    package func events(_ answer: Answer) -> [StreamEvent] {
        let pieces = pieces(answer)
        let text = pieces.joined()
        var events = pieces.map { StreamEvent.paced(["apiFormat": "COHERE", "text": .string($0)]) }
        if !answer.toolCalls.isEmpty {
            events.append(.paced(["apiFormat": "COHERE", "text": .string(text), "toolCalls": calls(answer)]))
        }
        var last: JSON = ["apiFormat": "COHERE", "text": .string(text)]
        last["chatHistory"] = history(text)
        last["finishReason"] = .string(reason(answer))
        if !answer.toolCalls.isEmpty { last["toolCalls"] = calls(answer) }
        if call.wantsUsage { last["usage"] = answer.usage(.cohere) }
        events.append(.finish(last))
        return events
    }

    package func response(_ answer: Answer, now: Int) -> JSON {
        let text = pieces(answer).joined()
        var response: JSON = ["apiFormat": "COHERE", "text": .string(text)]
        response["chatHistory"] = history(text)
        response["finishReason"] = .string(reason(answer))
        response["usage"] = answer.usage(.cohere)
        if !answer.toolCalls.isEmpty { response["toolCalls"] = calls(answer) }
        return response
    }

    /// Before its calls the model says what it is about to do.
    private func pieces(_ answer: Answer) -> [String] {
        answer.toolCalls.isEmpty ? answer.pieces : ["I will ", "look."]
    }

    private func history(_ text: String) -> JSON {
        .array(call.history + [["role": "CHATBOT", "message": .string(text)]])
    }

    private func calls(_ answer: Answer) -> JSON {
        .array(answer.toolCalls.map { ["name": .string($0.name), "parameters": $0.arguments] })
    }

    /// There is no reason for tool calls.
    private func reason(_ answer: Answer) -> String {
        switch answer.finish {
        case .stop, .stopSequence, .toolCalls: "COMPLETE"
        case .length: "MAX_TOKENS"
        }
    }
}
