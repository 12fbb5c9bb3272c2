/// OpenAI's own form of a response: an object, and the events that build it up.
package struct ResponsesAnswer: Sendable {
    package let request: JSON
    package let model: CatalogueModel
    package let answer: Answer
    package let id: String
    /// Seconds since 1970.
    package let created: Int

    package init(to request: JSON, by model: CatalogueModel, _ answer: Answer, id: String, created: Int) {
        self.request = request
        self.model = model
        self.answer = answer
        self.id = id
        self.created = created
    }

    private var suffix: Substring { id.dropFirst("resp_".count) }

    /// What the response says, in the order in which it comes.
    package var items: [JSON] {
        var items: [JSON] = []
        if !answer.reasoning.isEmpty {
            items.append([
                "type": "reasoning", "id": .string("rs_\(suffix)"),
                "summary": [["type": "summary_text", "text": .string(answer.reasoning.joined())]],
            ])
        }
        if answer.toolCalls.isEmpty {
            items.append(message(status: "completed", text: answer.text))
        }
        for (index, call) in answer.toolCalls.enumerated() {
            items.append([
                "type": "function_call", "id": .string("fc_\(suffix)_\(index)"), "call_id": .string(call.id),
                "name": .string(call.name), "arguments": .string(call.arguments.text), "status": "completed",
            ])
        }
        return items
    }

    private func message(status: String, text: String?) -> JSON {
        [
            "type": "message", "id": .string("msg_\(suffix)"), "status": .string(status), "role": "assistant",
            "content": text.map { [Self.part($0)] } ?? [],
        ]
    }

    private static func part(_ text: String) -> JSON {
        ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
    }

    package var response: JSON { object(status: answer.finish == .length ? "incomplete" : "completed", items) }

    private func object(_ other: Bool = false, status: String, _ output: [JSON]) -> JSON {
        var object: JSON = [
            "id": .string(id), "object": "response", "created_at": .integer(created), "status": .string(status),
            "model": .string(model.name), "output": .array(output), "error": .null,
            "incomplete_details": status == "incomplete" ? ["reason": "max_output_tokens"] : .null,
            "usage": status == "in_progress" ? .null : usage,
        ]
        for name in ["instructions", "previous_response_id", "max_output_tokens", "metadata"] {
            object[name] = request[name] ?? .null
        }
        object["store"] = .bool(request["store"]?.bool ?? true)
        object["tools"] = request["tools"] ?? []
        object["tool_choice"] = request["tool_choice"] ?? "auto"
        object["parallel_tool_calls"] = request["parallel_tool_calls"] ?? true
        object["temperature"] = request["temperature"] ?? 1
        object["top_p"] = request["top_p"] ?? 1
        object["text"] = request["text"] ?? ["format": ["type": "text"]]
        object["truncation"] = request["truncation"] ?? "disabled"
        return object
    }

    private var usage: JSON {
        let output = answer.visibleTokens + answer.reasoningTokens
        return [
            "input_tokens": .integer(answer.promptTokens), "input_tokens_details": ["cached_tokens": 0],
            "output_tokens": .integer(output),
            "output_tokens_details": ["reasoning_tokens": .integer(answer.reasoningTokens)],
            "total_tokens": .integer(answer.promptTokens + output),
        ]
    }

    // MARK: Stream

    /// All events of the stream.
    package var events: [StreamEvent] {
        var events: [StreamEvent] = []
        func add(_ type: String, _ members: JSON, isPaced: Bool = false, isFinish: Bool = false) {
            var event: JSON = ["type": .string(type), "sequence_number": .integer(events.count)]
            for member in members.object?.members ?? [] { event[member.name] = member.value }
            events.append(StreamEvent(payload: .named(event), isPaced: isPaced, isFinish: isFinish))
        }
        add("response.created", ["response": object(status: "in_progress", [])])
        add("response.in_progress", ["response": object(status: "in_progress", [])])
        for (index, item) in items.enumerated() {
            var begun = item
            let place: JSON = ["item_id": item["id"] ?? "", "output_index": .integer(index)]
            func told(_ members: JSON) -> JSON {
                var told = place
                for member in members.object?.members ?? [] { told[member.name] = member.value }
                return told
            }
            switch item["type"]?.string {
            case "message": begun = message(status: "in_progress", text: nil)
            case "function_call":
                begun["arguments"] = ""
                begun["status"] = "in_progress"
            default: begun["summary"] = []
            }
            add("response.output_item.added", ["output_index": .integer(index), "item": begun])
            switch item["type"]?.string {
            case "message":
                add("response.content_part.added", told(["content_index": 0, "part": Self.part("")]))
                for piece in answer.pieces {
                    add(
                        "response.output_text.delta",
                        told(["content_index": 0, "delta": .string(piece), "logprobs": []]), isPaced: true)
                }
                add(
                    "response.output_text.done",
                    told(["content_index": 0, "text": .string(answer.text), "logprobs": []]))
                add("response.content_part.done", told(["content_index": 0, "part": Self.part(answer.text)]))
            case "function_call":
                let arguments = item["arguments"] ?? ""
                add("response.function_call_arguments.delta", told(["delta": arguments]), isPaced: true)
                add(
                    "response.function_call_arguments.done",
                    told(["arguments": arguments, "name": item["name"] ?? ""]))
            default:
                for piece in answer.reasoning {
                    add("response.reasoning_summary_text.delta", told(["summary_index": 0, "delta": .string(piece)]))
                }
            }
            add("response.output_item.done", ["output_index": .integer(index), "item": item])
        }
        add(
            answer.finish == .length ? "response.incomplete" : "response.completed", ["response": response],
            isFinish: true)
        return events
    }
}
