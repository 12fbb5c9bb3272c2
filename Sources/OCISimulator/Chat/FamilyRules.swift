/// What a model family refuses although the request has the right shape (OCI wire notes 5).
package enum FamilyRules {
    /// Throws the error that the service, or the vendor behind it, answers.
    package static func check(_ request: JSON, format: ChatFormat, model: String) throws(ServiceError) {
        switch format {
        case .generic:
            try checkToolCallIDs(request)
            try checkMedia(request, part: "imageUrl")
            try checkSchemas(request)
            switch ModelFamily(model: model) {
            case .grok: try checkGrok(request, model: model)
            case .openAI: try checkOpenAI(request, model: model)
            case .gemini: try checkGemini(request, model: model)
            case .llama, .gptOSS, .cohere, .other: break
            }
        case .cohere: try checkCohere(request)
        case .cohereV2:
            try checkToolCallIDs(request)
            try checkMedia(request, part: "imageUrl")
        }
    }

    // MARK: All (5.6)

    /// Each tool result must answer a call of the assistant message before it.
    private static func checkToolCallIDs(_ request: JSON) throws(ServiceError) {
        var calls: [String] = []
        for message in request["messages"]?.array ?? [] {
            switch message["role"]?.string {
            case "ASSISTANT": calls = (message["toolCalls"]?.array ?? []).compactMap { $0["id"]?.string }
            case "TOOL":
                let id = message["toolCallId"]?.string ?? ""
                guard calls.contains(id) else {
                    throw ServiceError(
                        400,
                        "Invalid parameter: 'toolCallId' of '\(id)' not found in 'toolCalls' of previous message.")
                }
            default: calls = []
            }
        }
    }

    /// Images travel as data URIs only.
    private static func checkMedia(_ request: JSON, part: String) throws(ServiceError) {
        for message in request["messages"]?.array ?? [] {
            for content in message["content"]?.array ?? [] {
                guard let url = content[part]?["url"]?.string else { continue }
                guard DataURI.byteCount(url) != nil else {
                    throw ServiceError(400, "Invalid image: only base64 data URIs are supported.")
                }
            }
        }
    }

    /// `$ref` must have been written out.
    private static func checkSchemas(_ request: JSON) throws(ServiceError) {
        for tool in request["tools"]?.array ?? [] {
            if let parameters = tool["parameters"], holds(parameters, anyKeyOf: ["$ref", "$defs"]) {
                throw ServiceError(400, "Invalid request content: Invalid function schema.")
            }
        }
    }

    private static func holds(_ value: JSON, anyKeyOf names: Set<String>) -> Bool {
        switch value {
        case .array(let elements): elements.contains { holds($0, anyKeyOf: names) }
        case .object(let object):
            object.members.contains { names.contains($0.name) || holds($0.value, anyKeyOf: names) }
        case .null, .bool, .integer, .number, .string: false
        }
    }

    // MARK: xAI (5.2)

    private static func checkGrok(_ request: JSON, model: String) throws(ServiceError) {
        let refusesStop = model.hasPrefix("xai.grok-4") || model.hasPrefix("xai.grok-3-mini")
        if refusesStop, request["stop"] != nil {
            throw .xai("Argument not supported on this model: stop")
        }
        if request["reasoningEffort"] != nil, !model.hasPrefix("xai.grok-3-mini") {
            throw .xai("Model \(model.dropFirst("xai.".count)) does not support parameter reasoningEffort.")
        }
        for tool in request["tools"]?.array ?? [] {
            guard tool["parameters"]?["type"]?.string == "object", tool["parameters"]?["properties"]?.object != nil
            else { throw ServiceError(400, "Invalid request content: Invalid function schema.") }
        }
    }

    // MARK: OpenAI's commercial models (5.1)

    private static func checkOpenAI(_ request: JSON, model: String) throws(ServiceError) {
        if request["maxTokens"] != nil {
            throw ServiceError(
                400,
                "Invalid 'maxTokens': Unsupported parameter: 'maxTokens' is not supported with this model. "
                    + "Use 'maxCompletionTokens' instead.")
        }
        for message in request["messages"]?.array ?? [] {
            for part in message["content"]?.array ?? [] where part["audioUrl"] != nil || part["videoUrl"] != nil {
                throw ServiceError(400, "Invalid content type. This model takes text and images only.")
            }
        }
        guard model.hasPrefix("openai.gpt-5") || model.hasPrefix("openai.o") else { return }
        if let temperature = request["temperature"]?.number, temperature != 1 {
            throw .openAI(
                "Unsupported value: 'temperature' does not support \(temperature) with this model. "
                    + "Only the default (1) value is supported.", param: "temperature", code: "unsupported_value")
        }
        if let topP = request["topP"]?.number, topP != 1 {
            throw .openAI(
                "Unsupported parameter: 'top_p' is not supported with this model.", param: "top_p",
                code: "unsupported_parameter")
        }
    }

    // MARK: Gemini (5.3)

    private static func checkGemini(_ request: JSON, model: String) throws(ServiceError) {
        let messages = request["messages"]?.array ?? []
        if PrefillHabit(model: model) == .refuses, messages.last?["role"]?.string == "ASSISTANT" {
            throw ServiceError(400, "Requests ending with a model turn are not supported.")
        }
        for (index, message) in messages.enumerated() {
            guard let calls = message["toolCalls"]?.array else { continue }
            let hasText = (message["content"]?.array ?? []).contains { $0["text"]?.string?.isEmpty == false }
            // The service takes about 90 s for it; the simulator does not wait.
            guard hasText else { throw ServiceError(500, "Internal server error") }
            let results = messages[(index + 1)...].prefix { $0["role"]?.string == "TOOL" }
            guard calls.count == 1, results.count == 1 else {
                throw ServiceError(
                    400,
                    "Please ensure that the number of function response parts is equal to the number of function "
                        + "call parts of the function call turn.")
            }
        }
        for tool in request["tools"]?.array ?? [] {
            guard let parameters = tool["parameters"] else { continue }
            for name in ["exclusiveMinimum", "exclusiveMaximum"] where holds(parameters, anyKeyOf: [name]) {
                throw ServiceError(400, "Invalid JSON payload received. Unknown name \"\(name)\" in parameters.")
            }
        }
    }

    // MARK: Cohere (5.5)

    private static func checkCohere(_ request: JSON) throws(ServiceError) {
        let history = request["chatHistory"]?.array ?? []
        for entry in history where entry["role"]?.string != "TOOL" {
            guard entry["message"]?.string?.isEmpty == false else {
                throw ServiceError(400, "all elements in history must have a message")
            }
        }
        let message = request["message"]?.string ?? ""
        let hasResults = request["toolResults"] != nil
        if hasResults, !message.isEmpty, request["isForceSingleStep"]?.bool != true {
            throw ServiceError(400, "cannot specify both message and tool_results in multistep mode")
        }
        if !message.isEmpty, history.last?["role"]?.string == "TOOL" {
            throw ServiceError(
                400, "cannot specify message if the last entry in chat history contains tool results")
        }
        guard !message.isEmpty || hasResults || history.last?["role"]?.string == "TOOL" else {
            throw ServiceError(400, "message must be at least 1 token long or tool results must be specified.")
        }
        for tool in request["tools"]?.array ?? [] {
            let name = tool["name"]?.string ?? ""
            guard !name.contains("-"), name.first?.isNumber != true else {
                throw ServiceError(400, "invalid tool name '\(name)': only letters, digits and underscores")
            }
            for parameter in tool["parameterDefinitions"]?.object?.members ?? [] {
                // Reported of the live service, which names no reason (BerriAI/litellm#30646).
                if let type = parameter.value["type"]?.string, type != type.lowercased(),
                    ["list", "dict"].contains(type.lowercased())
                {
                    throw ServiceError(500, code: "InternalServerError", "An internal server error occurred.")
                }
                guard ChatShapes.parameterDefinition.mismatch(parameter.value) == nil else {
                    throw .wrongFormat
                }
            }
        }
    }
}
