/// What a model refuses on the OpenAI-compatible path although the request has the right shape (OCI wire notes 5).
package enum OpenAIRules {
    /// Throws the error that the service, or the vendor behind it, answers.
    package static func check(_ request: JSON, model: String) throws(ServiceError) {
        try checkToolCallIDs(request)
        try checkImages(request)
        switch ModelFamily(model: model) {
        case .grok: try checkGrok(request, model: model)
        case .openAI: try checkOpenAI(request, model: model)
        case .llama, .gptOSS, .gemini, .cohere, .other: break
        }
    }

    /// Llama's tools fail when the request begins with a system message (OCI wire notes 5.4). How they fail is not
    /// known: a 400 at least cannot be overlooked.
    package static func checkLlamaSystemMessage(_ request: JSON, model: String) throws(ServiceError) {
        guard ModelFamily(model: model) == .llama, request["tools"] != nil,
            request["messages"]?.array?.first?["role"]?.string == "system"
        else { return }
        throw ServiceError(400, "Invalid request content: tools are not supported after a system message.")
    }

    /// Each tool result must answer a call of the assistant message before it.
    private static func checkToolCallIDs(_ request: JSON) throws(ServiceError) {
        var open: [String] = []
        for message in request["messages"]?.array ?? [] {
            guard message["role"]?.string == "tool" else {
                open = (message["tool_calls"]?.array ?? []).compactMap { $0["id"]?.string }
                continue
            }
            let id = message["tool_call_id"]?.string ?? ""
            guard open.contains(id) else {
                throw ServiceError(
                    400, "Invalid parameter: 'tool_call_id' of '\(id)' not found in 'tool_calls' of previous message.")
            }
        }
    }

    /// Images travel as data URIs only.
    private static func checkImages(_ request: JSON) throws(ServiceError) {
        let parts = (request["messages"]?.array ?? []).flatMap { $0["content"]?.array ?? [] }
        for url in parts.compactMap({ $0["image_url"]?["url"]?.string }) where DataURI.byteCount(url) == nil {
            throw ServiceError(400, "Invalid image: only base64 data URIs are supported.")
        }
    }

    private static func checkGrok(_ request: JSON, model: String) throws(ServiceError) {
        let isMini = model.hasPrefix("xai.grok-3-mini")
        if holds(request, "stop"), isMini || model.hasPrefix("xai.grok-4") {
            throw .xai("Argument not supported on this model: stop")
        }
        if holds(request, "reasoning_effort"), !isMini {
            throw .xai("Model \(model.dropFirst("xai.".count)) does not support parameter reasoningEffort.")
        }
        for parameters in (request["tools"]?.array ?? []).map({ $0["function"]?["parameters"] }) {
            guard parameters?["type"]?.string == "object", parameters?["properties"]?.object != nil else {
                throw ServiceError(400, "Invalid request content: Invalid function schema.")
            }
        }
    }

    /// OpenAI's commercial models.
    private static func checkOpenAI(_ request: JSON, model: String) throws(ServiceError) {
        if holds(request, "max_tokens") {
            throw .openAI(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                    + "Use 'max_completion_tokens' instead.", param: "max_tokens", code: "unsupported_parameter")
        }
        guard model.hasPrefix("openai.gpt-5") || model.hasPrefix("openai.o") else { return }
        if let temperature = request["temperature"]?.number, temperature != 1 {
            throw .openAI(
                "Unsupported value: 'temperature' does not support \(temperature) with this model. "
                    + "Only the default (1) value is supported.", param: "temperature", code: "unsupported_value")
        }
        if let topP = request["top_p"]?.number, topP != 1 {
            throw .openAI(
                "Unsupported parameter: 'top_p' is not supported with this model.", param: "top_p",
                code: "unsupported_parameter")
        }
    }

    /// Null is as good as absent.
    private static func holds(_ request: JSON, _ name: String) -> Bool { request[name].map { $0 != .null } ?? false }
}
