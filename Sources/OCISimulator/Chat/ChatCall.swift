/// What a validated chat request asks for, in the words common to the three formats.
package struct ChatCall: Sendable {
    package struct Tool: Sendable, Equatable {
        package var name: String
        /// Made from `parameterDefinitions` for COHERE.
        package var schema: JSON
    }

    package enum ToolChoice: Sendable, Equatable {
        case none, auto, required
        case function(String)
    }

    package enum ResponseFormat: Sendable, Equatable {
        case text, object
        case schema(JSON)
    }

    package var format: ChatFormat
    package var isStream = false
    package var wantsUsage = false
    package var generations = 1
    package var tokenLimit: Int?
    package var stop: [String] = []
    package var wantsLogProbs = false
    package var tools: [Tool] = []
    package var toolChoice = ToolChoice.auto
    package var allowsParallelCalls = true
    package var responseFormat = ResponseFormat.text
    /// False when the request turns thinking off.
    package var mayReason = true
    /// The request wants the same answer each time: it has a `seed`, or a temperature of 0.
    package var isRepeatable = false
    /// Text of an assistant's message that stands last.
    package var prefill: String?
    /// Text of the last user message.
    package var userText = ""
    /// Sizes in bytes of the images in the last user message.
    package var images: [Int] = []
    /// Texts of the tool results after the last user message, when the conversation ends with one.
    package var toolResults: [String] = []
    /// All text of the conversation in words, for the usage.
    package var promptTokens = 0
    /// `chatHistory` as COHERE answers it.
    package var history: [JSON] = []
}

extension ChatCall {
    /// Reads a chat request that has the right shape.
    package init?(_ request: JSON) {
        guard let format = request["apiFormat"]?.string.flatMap(ChatFormat.init) else { return nil }
        self.init(format: format)
        isStream = request["isStream"]?.bool ?? false
        wantsUsage = request["streamOptions"]?["isIncludeUsage"]?.bool ?? false
        generations = request["numGenerations"]?.integer ?? 1
        tokenLimit = request["maxTokens"]?.integer ?? request["maxCompletionTokens"]?.integer
        stop = (request["stop"] ?? request["stopSequences"])?.array?.compactMap(\.string) ?? []
        wantsLogProbs = (request["logProbs"]?.integer ?? 0) > 0 || request["isLogProbsEnabled"]?.bool == true
        allowsParallelCalls = request["isParallelToolCalls"]?.bool ?? true
        mayReason = request["thinking"]?["type"]?.string != "DISABLED" && request["reasoningEffort"]?.string != "NONE"
        isRepeatable = request["seed"] != nil || request["temperature"]?.number == 0
        responseFormat = Self.responseFormat(request["responseFormat"])
        toolChoice = Self.toolChoice(request)
        tools = (request["tools"]?.array ?? []).compactMap(Self.tool)
        switch format {
        case .generic, .cohereV2: read(messages: request["messages"]?.array ?? [])
        case .cohere: readCohere(request)
        }
        promptTokens = max(1, Self.words(in: request))
    }

    private static func responseFormat(_ value: JSON?) -> ResponseFormat {
        switch value?["type"]?.string {
        case "JSON_OBJECT": value?["schema"].map(ResponseFormat.schema) ?? .object
        case "JSON_SCHEMA": .schema(value?["jsonSchema"]?["schema"] ?? [:])
        default: .text
        }
    }

    private static func toolChoice(_ request: JSON) -> ToolChoice {
        let choice = request["toolChoice"]
        switch choice?["type"]?.string ?? request["toolsChoice"]?.string {
        case "NONE": return .none
        case "REQUIRED": return .required
        case "FUNCTION": return .function(choice?["name"]?.string ?? "")
        default: return .auto
        }
    }

    private static func tool(_ value: JSON) -> Tool? {
        let function = value["function"] ?? value
        guard let name = function["name"]?.string else { return nil }
        if let schema = function["parameters"] { return Tool(name: name, schema: schema) }
        guard let definitions = function["parameterDefinitions"]?.object else { return Tool(name: name, schema: [:]) }
        let types = [
            "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object",
        ]
        var properties = JSONObject()
        var required: [JSON] = []
        for member in definitions.members {
            let type = member.value["type"]?.string.flatMap { types[$0] } ?? "string"
            properties[member.name] = described(type, member.value["description"]?.string ?? "")
            if member.value["isRequired"]?.bool == true { required.append(.string(member.name)) }
        }
        return Tool(
            name: name,
            schema: ["type": "object", "properties": .object(properties), "required": .array(required)])
    }

    /// The schema of a parameter whose description says what its type cannot: the values that it may have, or the schema of a structure.
    private static func described(_ type: String, _ description: String) -> JSON {
        if let start = behind("one of: ", in: description) {
            let first = description[start...].prefix { $0 != "," && $0 != ";" }
            return [
                "type": .string(type),
                "enum": [
                    type == "string"
                        ? .string(String(first)) : (try? JSONParser.parse(Array(first.utf8))) ?? .string(String(first))
                ],
            ]
        }
        for (marker, isItem) in [("JSON schema of an item: ", true), ("JSON schema: ", false)] {
            guard let start = behind(marker, in: description),
                let schema = (try? JSONParser.parse(Array(description[start...].utf8)))
            else { continue }
            return isItem ? ["type": "array", "items": schema] : schema
        }
        return ["type": .string(type)]
    }

    /// Where the text behind some words begins, whose first letter may be a capital.
    private static func behind(_ words: String, in text: String) -> String.Index? {
        text.firstRange(of: words)?.upperBound
            ?? text.firstRange(of: words.prefix(1).uppercased() + words.dropFirst())?.upperBound
    }

    private mutating func read(messages: [JSON]) {
        if let last = messages.last, last["role"]?.string == "ASSISTANT", last["toolCalls"] == nil {
            prefill = Self.text(of: last["content"]?.array ?? [])
        }
        guard let last = messages.lastIndex(where: { $0["role"]?.string == "USER" }) else {
            toolResults = messages.last?["role"]?.string == "TOOL" ? Self.results(messages) : []
            return
        }
        let parts = messages[last]["content"]?.array ?? []
        userText = Self.text(of: parts)
        images = parts.compactMap { $0["imageUrl"]?["url"]?.string }.compactMap(DataURI.byteCount)
        if messages.last?["role"]?.string == "TOOL" { toolResults = Self.results(Array(messages[last...])) }
    }

    private static func results(_ messages: [JSON]) -> [String] {
        messages.filter { $0["role"]?.string == "TOOL" }.map { text(of: $0["content"]?.array ?? []) }
    }

    private static func text(of parts: [JSON]) -> String {
        parts.compactMap { $0["text"]?.string }.joined(separator: "\n")
    }

    private mutating func readCohere(_ request: JSON) {
        let message = request["message"]?.string ?? ""
        history = request["chatHistory"]?.array ?? []
        let lastUser = history.last { $0["role"]?.string == "USER" }?["message"]?.string
        userText = message.isEmpty ? lastUser ?? "" : message
        if !message.isEmpty { history.append(["role": "USER", "message": .string(message)]) }
        toolResults = (request["toolResults"]?.array ?? []).map { result in
            (result["outputs"]?.array ?? []).flatMap { $0.object?.members ?? [] }.map { member in
                member.value.string ?? member.value.text
            }.joined(separator: " ")
        }
    }

    static func words(in value: JSON) -> Int {
        switch value {
        case .string(let text): text.utf8.count > 2000 ? text.utf8.count / 1000 : text.split(separator: " ").count
        case .array(let elements): elements.reduce(0) { $0 + words(in: $1) }
        case .object(let object): object.members.reduce(0) { $0 + words(in: $1.value) }
        case .null, .bool, .integer, .number: 0
        }
    }
}

/// `data:image/png;base64,...`.
package enum DataURI {
    /// The number of bytes in it; nil when the text is not a base64 data URI.
    package static func byteCount(_ text: String) -> Int? {
        let bytes = text.utf8
        guard text.hasPrefix("data:"), let comma = bytes.firstIndex(of: UInt8(ascii: ",")),
            text[..<comma].hasSuffix(";base64")
        else { return nil }
        let payload = bytes[bytes.index(after: comma)...]
        let padding = payload.suffix(2).count { $0 == UInt8(ascii: "=") }
        guard payload.count % 4 == 0, payload.dropLast(padding).allSatisfy(isBase64) else { return nil }
        return payload.count / 4 * 3 - padding
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
