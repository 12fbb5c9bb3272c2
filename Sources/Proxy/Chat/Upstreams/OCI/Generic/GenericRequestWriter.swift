import ProxyRouting

/// An OpenAI chat request as OCI's ChatDetails with a GENERIC chat request (OCI wire notes, 3.1 and 3.2).
///
/// What only tunes the answer and is not taken is left out or brought into range; what is absent is left out too, since
/// OCI refuses null and unknown members alike.
enum GenericRequestWriter {
    /// - Throws: `Failure` 400 that names the parameter, for what the client cannot do without and OCI does not have.
    static func translate(_ chat: ChatRequest, for target: ChatTarget) throws(Failure) -> CallDetails {
        let family = target.family
        return try CallDetails(for: target, in: .generic) { writer throws(Failure) in
            GenericMessages.write(chat.messages, family: family, to: &writer)
            writer.key(family.tokenLimit.rawValue)
            writer.int(family.tokens(wanted: chat.maxTokens, for: target))
            write(chat.tuning, family: family, to: &writer)
            try write(chat.tools, chat.toolChoice, chat.tuning.parallelToolCalls, family: family, to: &writer)
            try write(chat.responseFormat, family: family, to: &writer)
        }
    }

    // MARK: Tuning

    private static func write(_ tuning: ChatRequest.Tuning, family: ModelFamily, to writer: inout JSONWriter) {
        if let value = tuning.temperature, !family.refuses.contains(.temperature) {
            number("temperature", value, in: 0...2, &writer)
        }
        if let value = tuning.topP, !family.refuses.contains(.topP) { number("topP", value, in: 0...1, &writer) }
        if let value = tuning.topK, !family.refuses.contains(.topK) { integer("topK", max(value, -1), &writer) }
        if !family.refuses.contains(.penalties) {
            // 0 is what is meant anyway, and some models refuse even that.
            if let value = tuning.frequencyPenalty, value != 0 {
                number("frequencyPenalty", value, in: -2...2, &writer)
            }
            if let value = tuning.presencePenalty, value != 0 { number("presencePenalty", value, in: -2...2, &writer) }
        }
        if let value = tuning.seed, !family.refuses.contains(.seed) { integer("seed", value, &writer) }
        if tuning.choices > 1 { integer("numGenerations", tuning.choices, &writer) }
        if !tuning.stop.isEmpty, !family.refuses.contains(.stop) {
            writer.key("stop")
            writer.beginArray()
            for text in tuning.stop { writer.string(escaped: text) }
            writer.endArray()
        }
        if let value = tuning.topLogprobs { integer("logProbs", min(max(value, 1), 20), &writer) }
        if let value = tuning.logitBias, !family.refuses.contains(.logitBias) { raw("logitBias", value, &writer) }
        if let value = tuning.metadata, !family.refuses.contains(.metadata) { metadata(value, &writer) }
        if !family.refuses.contains(.reasoningEffort) {
            word("reasoningEffort", tuning.reasoningEffort, efforts, &writer)
        }
        if !family.refuses.contains(.verbosity) {
            word("verbosity", tuning.verbosity, degrees, &writer)
        }
        word("serviceTier", tuning.serviceTier, tiers, &writer)
        if !tuning.prediction.isEmpty { prediction(tuning.prediction, &writer) }
        if let value = tuning.webSearch { webSearch(value, &writer) }
    }

    private static let efforts = [
        "none": "NONE", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH",
        "max": "HIGH",
    ]

    private static let degrees = ["low": "LOW", "medium": "MEDIUM", "high": "HIGH"]
    private static let tiers = ["auto": "AUTO", "default": "DEFAULT", "priority": "PRIORITY"]

    private static func number(
        _ name: StaticString, _ value: Double, in range: ClosedRange<Double>, _ writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.double(min(max(value, range.lowerBound), range.upperBound))
    }

    private static func integer(_ name: StaticString, _ value: Int, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.int(value)
    }

    private static func raw(_ name: StaticString, _ value: JSONValue, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.raw(value.raw)
    }

    /// Unknown words are left out.
    private static func word(
        _ name: StaticString, _ value: String?, _ words: [String: String], _ writer: inout JSONWriter
    ) {
        guard let word = value.flatMap({ words[$0.lowercased()] }) else { return }
        writer.key(name)
        writer.string(word)
    }

    /// OCI takes sixteen pairs of texts.
    private static func metadata(_ value: JSONValue, _ writer: inout JSONWriter) {
        let pairs = value.members.lazy.filter { $0.value.kind == .string }.prefix(16)
        guard pairs.contains(where: { _ in true }) else { return }
        writer.key("metadata")
        writer.beginObject()
        for (key, value) in pairs {
            writer.key(key.string ?? "")
            writer.raw(value.raw)
        }
        writer.endObject()
    }

    private static func prediction(_ texts: [ArraySlice<UInt8>], _ writer: inout JSONWriter) {
        writer.key("prediction")
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "CONTENT")
        writer.key("content")
        writer.beginArray()
        for text in texts { GenericMessages.writeText(text, to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    private static func webSearch(_ options: JSONValue, _ writer: inout JSONWriter) {
        writer.key("webSearchOptions")
        writer.beginObject()
        word("searchContextSize", options["search_context_size"]?.string, degrees, &writer)
        if let place = options.present("user_location"),
            let location = place.present("approximate") ?? place.present("user_location")
        {
            writer.key("userLocation")
            writer.beginObject()
            for name in ["city", "region", "country", "timezone"] as [StaticString] {
                guard let value = location.present(name), value.kind == .string else { continue }
                raw(name, value, &writer)
            }
            writer.endObject()
        }
        writer.endObject()
    }

    // MARK: Tools

    private static func write(
        _ tools: [ChatTool], _ choice: ChatRequest.ToolChoice?, _ parallel: Bool?, family: ModelFamily,
        to writer: inout JSONWriter
    ) throws(Failure) {
        guard !tools.isEmpty else { return }
        writer.key("tools")
        writer.beginArray()
        for (index, tool) in tools.enumerated() {
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "FUNCTION")
            try writeMembers(of: tool, at: index, family: family, to: &writer)
            writer.endObject()
        }
        writer.endArray()
        if let choice {
            writer.key("toolChoice")
            writer.beginObject()
            writer.key("type")
            switch choice {
            case .auto: writer.string(literal: "AUTO")
            case .none: writer.string(literal: "NONE")
            case .required: writer.string(literal: "REQUIRED")
            case .function(let name):
                writer.string(literal: "FUNCTION")
                writer.key("name")
                writer.string(name)
            }
            writer.endObject()
        }
        if let parallel, !family.refuses.contains(.parallelToolCalls) {
            writer.key("isParallelToolCalls")
            writer.bool(parallel)
        }
    }

    /// Name, description and parameters of a function.
    static func writeMembers(of tool: ChatTool, at index: Int, family: ModelFamily, to writer: inout JSONWriter)
        throws(Failure)
    {
        guard !tool.name.utf8.contains(UInt8(ascii: ".")) else {
            let path = "tools[\(index)].function.name"
            throw .invalidRequest(
                "'\(path)' contains a '.', which this model does not accept; use letters, digits, '_' or '-'.",
                field: path,
                as: .value)
        }
        writer.key("name")
        writer.string(tool.name)
        writer.key("description")
        if let description = tool.description { writer.string(escaped: description) } else { writer.string(tool.name) }
        writer.key("parameters")
        ToolSchema.write(tool.parameters, dialect: family.schemas, to: &writer)
    }

    private static func write(_ format: ChatRequest.ResponseFormat?, family: ModelFamily, to writer: inout JSONWriter)
        throws(Failure)
    {
        guard let format else { return }
        writer.key("responseFormat")
        writer.beginObject()
        writer.key("type")
        switch format {
        case .text: writer.string(literal: "TEXT")
        case .jsonObject: writer.string(literal: "JSON_OBJECT")
        case .jsonSchema(let schema):
            writer.string(literal: "JSON_SCHEMA")
            writer.key("jsonSchema")
            writer.beginObject()
            writer.key("name")
            if let name = schema["name"]?.rawString, !name.isEmpty {
                writer.string(escaped: name)
            } else {
                writer.string(literal: "response")
            }
            if let description = schema["description"]?.rawString, !description.isEmpty {
                writer.key("description")
                writer.string(escaped: description)
            }
            if let body = schema.present("schema") {
                guard body.kind == .object else {
                    throw RequestField(body).wrongType("an object")
                }
                writer.key("schema")
                if family.adaptsAnswerSchemas {
                    ToolSchema.writeAny(body, dialect: family.schemas, to: &writer)
                } else {
                    writer.raw(body.raw)
                }
            }
            if let strict = schema["strict"]?.bool {
                writer.key("isStrict")
                writer.bool(strict)
            }
            writer.endObject()
        }
        writer.endObject()
    }
}
