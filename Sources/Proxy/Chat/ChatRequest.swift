import ProxyRouting

/// A chat completions request, checked: every field that a translation reads has its type.
///
/// Texts, images and arguments stay slices of the body that came in; they travel into the upstream's document as they are.
/// Fields that nobody knows are no reason to refuse.
struct ChatRequest: Sendable {
    let model: String
    let isStreaming: Bool
    /// `stream_options.include_usage`.
    let includesUsage: Bool
    let messages: [ChatMessage]
    let tools: [ChatTool]
    /// Nil without tools: a choice among none means nothing.
    let toolChoice: ToolChoice?
    let responseFormat: ResponseFormat?
    /// `max_completion_tokens`, else `max_tokens`; nil when neither asks for at least one.
    let maxTokens: Int?
    let tuning: Tuning

    /// Fields that only tune an answer.
    struct Tuning: Sendable {
        var temperature: Double?
        var topP: Double?
        var topK: Int?
        var frequencyPenalty: Double?
        var presencePenalty: Double?
        var seed: Int?
        /// Choices to generate, at least 1.
        var choices = 1
        /// Escaped, as they came.
        var stop: [ArraySlice<UInt8>] = []
        /// Likely tokens to tell for each position; nil when no log probabilities are wanted.
        var topLogprobs: Int?
        var logitBias: JSONValue?
        var parallelToolCalls: Bool?
        var reasoningEffort: String?
        var verbosity: String?
        var serviceTier: String?
        var metadata: JSONValue?
        /// The text of a predicted output, in pieces.
        var prediction: [ArraySlice<UInt8>] = []
        var webSearch: JSONValue?
    }

    enum ToolChoice: Equatable, Sendable {
        case auto, none, required
        case function(String)
    }

    enum ResponseFormat: Sendable {
        case text, jsonObject
        /// The `json_schema` object.
        case jsonSchema(JSONValue)
    }

    /// What is parsed of a message or a part takes ten times the bytes of the shortest ones.
    private static let mostMessages = 50_000
    static let mostParts = 50_000

    /// - Throws: `Failure` 400 with the place of what cannot be: line and column where the text is no JSON, the path of
    ///   the field otherwise.
    static func parse(_ body: [UInt8]) throws(Failure) -> ChatRequest {
        try ChatRequest(RequestField(body: body))
    }

    /// The same for a body that has been parsed already.
    init(_ body: RequestField) throws(Failure) {
        model = try body.model()
        let messages = try Self.messageFields(body)
        // Without functions the choice among them means nothing, as with tools.
        if let old = body.member("functions"),
            old.value.kind != .array || old.value.elements.contains(where: { _ in true })
        {
            throw old.invalid(
                "is the deprecated form of function calling, which is not supported; send 'tools' and 'tool_choice'.",
                as: .unsupportedParameter)
        }
        isStreaming = try body.member("stream")?.bool() ?? false
        includesUsage = body.member("stream_options")?.value["include_usage"]?.bool ?? false
        self.messages = try Self.messages(messages)
        var schemas = SchemaBudget()
        (tools, toolChoice) = try Self.tools(
            ChatTool.list(body.member("tools"), &schemas), chosenBy: body.member("tool_choice"))
        responseFormat = try Self.responseFormat(body.member("response_format"), &schemas)
        let older = try Self.limit(body.member("max_tokens"))
        maxTokens = try Self.limit(body.member("max_completion_tokens")) ?? older
        tuning = try Self.tuning(body)
    }

    private static func messageFields(_ body: RequestField) throws(Failure) -> [RequestField] {
        guard let messages = try body.member("messages")?.elements(), !messages.isEmpty else { throw .noMessages }
        guard messages.count <= mostMessages else {
            throw .invalidRequest(
                "'messages' has more than \(mostMessages) messages, the limit of this proxy.",
                field: "messages", as: .tooManyMessages)
        }
        return messages
    }

    private static func messages(_ messages: [RequestField]) throws(Failure) -> [ChatMessage] {
        var parsed: [ChatMessage] = []
        var parts = 0
        for message in messages {
            let message = try ChatMessage(message)
            parts += message.content.count
            guard parts <= mostParts else {
                throw .invalidRequest(
                    "The contents of 'messages' have more than \(mostParts) parts, the limit of this proxy.",
                    field: "messages", as: .tooManyParts)
            }
            parsed.append(message)
        }
        ChatMessage.separateCalls(in: &parsed)
        return parsed
    }

    /// The tools that may be called, and the choice among them: `allowed_tools` names some of all.
    private static func tools(_ all: [ChatTool], chosenBy choice: RequestField?) throws(Failure) -> (
        [ChatTool], ToolChoice?
    ) {
        guard !all.isEmpty,
            let allowed = choice?.member("allowed_tools")
                ?? (choice?.value["type"]?.equals("allowed_tools") == true ? choice : nil)
        else { return (all, all.isEmpty ? nil : try toolChoice(choice, among: all)) }
        let names = try Self.names(ofAllowed: allowed)
        let known = Set(all.map(\.name))
        for name in names.sorted() where !known.contains(name) {
            throw allowed.invalid("names the function '\(name.quotable)', which is not in 'tools'.")
        }
        let tools = all.filter { names.contains($0.name) }
        return (
            tools, tools.isEmpty ? nil : try allowed.member("mode").map { field throws(Failure) in try mode(field) }
        )
    }

    /// Some programs write 0 or -1 for no limit.
    private static func limit(_ field: RequestField?) throws(Failure) -> Int? {
        guard let field else { return nil }
        let limit = try field.int()
        return limit >= 1 ? limit : nil
    }

    /// Folded into the 32 bits that OCI has, so that different seeds stay different.
    private static func seed(_ field: RequestField?) throws(Failure) -> Int? {
        guard let field else { return nil }
        let nearest = try field.int()
        guard let seed = field.value.int, seed != nearest else { return nearest }
        return seed & 0x7FFF_FFFF
    }

    private static func toolChoice(_ field: RequestField?, among tools: [ChatTool]) throws(Failure) -> ToolChoice? {
        guard let field else { return nil }
        if field.value.kind == .object {
            guard let name = try (field.member("function") ?? field).member("name")?.string() else {
                return try mode(field.member("type") ?? field)
            }
            guard tools.contains(where: { $0.name == name }) else {
                throw field.invalid("names the function '\(name.quotable)', which is not in 'tools'.")
            }
            return .function(name)
        }
        return try mode(field)
    }

    /// The functions of `allowed_tools`, in either form that OpenAI has for them.
    private static func names(ofAllowed field: RequestField) throws(Failure) -> Set<String> {
        guard let list = field.member("tools") else { throw field.invalid("has no 'tools'.") }
        var names: Set<String> = []
        for tool in try list.elements() {
            guard let name = try (tool.object().member("function") ?? tool).member("name") else {
                throw tool.invalid("is not a function with a name.")
            }
            names.insert(try name.string())
        }
        return names
    }

    private static func mode(_ field: RequestField) throws(Failure) -> ToolChoice {
        switch try field.string() {
        case "auto": .auto
        case "none": .none
        case "required", "any": .required
        default: throw field.invalid("must be \"auto\", \"none\", \"required\" or an object that names a function.")
        }
    }

    private static func responseFormat(_ field: RequestField?, _ budget: inout SchemaBudget) throws(Failure)
        -> ResponseFormat?
    {
        guard let field else { return nil }
        guard let type = try field.object().member("type") else { throw field.invalid("has no 'type'.") }
        switch try type.string() {
        case "text": return .text
        case "json_object": return .jsonObject
        case "json_schema":
            guard let schema = field.member("json_schema") else { throw field.invalid("has no 'json_schema'.") }
            try budget.take(try schema.object())
            return .jsonSchema(schema.value)
        default:
            throw .invalidRequest(
                "'response_format' must be of type text, json_object or json_schema.", field: "response_format",
                as: .value)
        }
    }

    private static func tuning(_ body: RequestField) throws(Failure) -> Tuning {
        var tuning = Tuning()
        tuning.temperature = try body.member("temperature")?.double()
        tuning.topP = try body.member("top_p")?.double()
        tuning.topK = try body.member("top_k")?.int()
        tuning.frequencyPenalty = try body.member("frequency_penalty")?.double()
        tuning.presencePenalty = try body.member("presence_penalty")?.double()
        tuning.seed = try Self.seed(body.member("seed"))
        if let n = body.member("n") {
            tuning.choices = try n.int()
            guard (1...128).contains(tuning.choices) else { throw n.invalid("must be from 1 to 128.") }
        }
        if let stop = body.member("stop") {
            if stop.value.kind == .array {
                for text in try stop.elements() { tuning.stop.append(try text.rawString()) }
            } else {
                guard let text = stop.value.rawString else { throw stop.wrongType("a string or an array of strings") }
                tuning.stop = [text]
            }
            // An input field that was left empty; no model could obey it.
            tuning.stop.removeAll(where: \.isEmpty)
        }
        if try body.member("logprobs")?.bool() == true {
            let wanted = try body.member("top_logprobs")?.int()
            tuning.topLogprobs = wanted ?? 1
        }
        if let bias = try body.member("logit_bias")?.object() {
            guard bias.value.members.allSatisfy({ $0.value.kind == .number }) else {
                throw bias.invalid("must map tokens to numbers.")
            }
            tuning.logitBias = bias.value
        }
        tuning.parallelToolCalls = try body.member("parallel_tool_calls")?.bool()
        tuning.reasoningEffort = try body.member("reasoning_effort")?.string()
        tuning.verbosity = try body.member("verbosity")?.string()
        tuning.serviceTier = try body.member("service_tier")?.string()
        tuning.metadata = try body.member("metadata")?.object().value
        if let content = body.member("prediction")?.member("content") {
            tuning.prediction = try ContentPart.list(content).compactMap {
                if case .text(let text) = $0 { text } else { nil }
            }
        }
        tuning.webSearch = try body.member("web_search_options")?.object().value
        return tuning
    }
}

extension Failure {
    static var noMessages: Failure {
        .invalidRequest("'messages' is missing or empty: send at least one message.", field: "messages", as: .missing)
    }
}
