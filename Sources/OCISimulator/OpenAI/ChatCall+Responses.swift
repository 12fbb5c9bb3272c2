extension ChatCall {
    /// Reads a Responses request that has the right shape. What is said does not depend on the API, so the call is as a GENERIC one.
    ///
    /// - Parameter before: the items on which it builds.
    package init(responses request: JSON, after before: [JSON]) {
        self.init(format: .generic)
        isStream = request["stream"]?.bool ?? false
        tokenLimit = request["max_output_tokens"]?.integer ?? Self.openAITokenLimit
        allowsParallelCalls = request["parallel_tool_calls"]?.bool ?? true
        mayReason = request["reasoning"]?["effort"]?.string != "none"
        tools = (request["tools"]?.array ?? []).compactMap { tool in
            guard tool["type"]?.string == "function", let name = tool["name"]?.string else { return nil }
            return Tool(name: name, schema: tool["parameters"] ?? [:])
        }
        toolChoice =
            switch request["tool_choice"]?["type"]?.string ?? request["tool_choice"]?.string {
            case "none": .none
            case "required": .required
            case "function": .function(request["tool_choice"]?["name"]?.string ?? "")
            default: .auto
            }
        if request["text"]?["format"]?["type"]?.string == "json_schema" {
            responseFormat = .schema(request["text"]?["format"]?["schema"] ?? [:])
        }
        let items = before + Self.items(of: request)
        let last = items.lastIndex { $0["role"]?.string == "user" }
        if let last { userText = Self.text(of: items[last]["content"]) }
        if items.last?["type"]?.string == "function_call_output" {
            toolResults = items[(last ?? 0)...].filter { $0["type"]?.string == "function_call_output" }
                .map { Self.text(of: $0["output"]) }
        }
        promptTokens = max(1, Self.words(in: .array(items)))
    }

    /// The input of a Responses request as items.
    package static func items(of request: JSON) -> [JSON] {
        if let text = request["input"]?.string {
            return [["type": "message", "role": "user", "content": .string(text)]]
        }
        return request["input"]?.array ?? []
    }

    private static func text(of content: JSON?) -> String {
        content?.string ?? (content?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
    }
}
