extension ChatCall {
    /// When an OpenAI request names no limit of tokens. Nothing says that this path has the tiny default of the native
    /// one; on demand, the answers of many models end here at the latest (OCI wire notes 8).
    static let openAITokenLimit = 4000

    /// Reads an OpenAI chat request that has the right shape. What is said does not depend on the path, so the call is
    /// as a GENERIC one.
    package init(openAI request: JSON) {
        self.init(format: .generic)
        isStream = request["stream"]?.bool ?? false
        wantsUsage = request["stream_options"]?["include_usage"]?.bool ?? false
        generations = request["n"]?.integer ?? 1
        tokenLimit =
            request["max_completion_tokens"]?.integer ?? request["max_tokens"]?.integer ?? Self.openAITokenLimit
        stop = request["stop"]?.string.map { [$0] } ?? request["stop"]?.array?.compactMap(\.string) ?? []
        wantsLogProbs = request["logprobs"]?.bool ?? false
        allowsParallelCalls = request["parallel_tool_calls"]?.bool ?? true
        mayReason = request["reasoning_effort"]?.string != "none"
        isRepeatable = request["seed"] != nil || request["temperature"]?.number == 0
        responseFormat = Self.openAIFormat(request["response_format"])
        toolChoice = Self.openAIChoice(request["tool_choice"])
        tools = (request["tools"]?.array ?? []).compactMap { tool in
            guard let function = tool["function"], let name = function["name"]?.string else { return nil }
            return Tool(name: name, schema: function["parameters"] ?? [:])
        }
        readOpenAI(request["messages"]?.array ?? [])
        promptTokens = max(1, Self.words(in: request))
    }

    private static func openAIFormat(_ value: JSON?) -> ResponseFormat {
        switch value?["type"]?.string {
        case "json_object": .object
        case "json_schema": .schema(value?["json_schema"]?["schema"] ?? [:])
        default: .text
        }
    }

    private static func openAIChoice(_ value: JSON?) -> ToolChoice {
        switch value?["type"]?.string ?? value?.string {
        case "none": .none
        case "required": .required
        case "function": .function(value?["function"]?["name"]?.string ?? "")
        default: .auto
        }
    }

    private mutating func readOpenAI(_ messages: [JSON]) {
        let last = messages.lastIndex { $0["role"]?.string == "user" }
        if let last {
            let content = messages[last]["content"]
            userText = Self.openAIText(content)
            images = (content?.array ?? []).compactMap { $0["image_url"]?["url"]?.string }.compactMap(DataURI.byteCount)
        }
        guard messages.last?["role"]?.string == "tool" else { return }
        toolResults = messages[(last ?? 0)...].filter { $0["role"]?.string == "tool" }
            .map { Self.openAIText($0["content"]) }
    }

    /// A content is a text or a list of parts.
    private static func openAIText(_ content: JSON?) -> String {
        content?.string ?? (content?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
    }
}
