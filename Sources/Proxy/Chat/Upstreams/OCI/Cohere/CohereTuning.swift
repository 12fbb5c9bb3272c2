import ProxyRouting

/// The fields that both Cohere dialects have, under the same names (OCI wire notes, 3.4 and 3.5).
enum CohereTuning {
    /// Texts at which an answer stops: Cohere takes no more.
    private static let mostStops = 5

    /// - Throws: `Failure` 400 for more than one choice, which Cohere cannot give.
    static func write(_ chat: ChatRequest, for target: ChatTarget, family: ModelFamily, to writer: inout JSONWriter)
        throws(Failure)
    {
        let tuning = chat.tuning
        guard tuning.choices == 1 else {
            throw .invalidRequest(
                "'n' is \(tuning.choices), but this model returns one choice per request; send n = 1, or several requests.",
                field: "n",
                as: .unsupportedParameter)
        }
        writer.key("maxTokens")
        writer.int(family.tokens(wanted: chat.maxTokens, for: target))
        // Cohere's scales are shorter than OpenAI's: 0 to 1 each.
        if let value = tuning.temperature, !family.refuses.contains(.temperature) {
            number("temperature", value, &writer)
        }
        if let value = tuning.topP, !family.refuses.contains(.topP) { number("topP", value, &writer) }
        if let value = tuning.topK, !family.refuses.contains(.topK) {
            integer("topK", min(max(value, 0), 500), &writer)
        }
        if !family.refuses.contains(.penalties) {
            if let value = tuning.frequencyPenalty, value > 0 { number("frequencyPenalty", value, &writer) }
            if let value = tuning.presencePenalty, value > 0 { number("presencePenalty", value, &writer) }
        }
        if let value = tuning.seed, !family.refuses.contains(.seed) { integer("seed", value, &writer) }
        if !tuning.stop.isEmpty, !family.refuses.contains(.stop) {
            writer.key("stopSequences")
            writer.beginArray()
            for text in tuning.stop.prefix(mostStops) { writer.string(escaped: text) }
            writer.endArray()
        }
        try write(chat.responseFormat, to: &writer)
    }

    private static func number(_ name: StaticString, _ value: Double, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.double(min(max(value, 0), 1))
    }

    private static func integer(_ name: StaticString, _ value: Int, _ writer: inout JSONWriter) {
        writer.key(name)
        writer.int(value)
    }

    /// There is no type of its own for schemas: one rides on JSON_OBJECT.
    private static func write(_ format: ChatRequest.ResponseFormat?, to writer: inout JSONWriter) throws(Failure) {
        guard let format else { return }
        writer.key("responseFormat")
        writer.beginObject()
        writer.key("type")
        switch format {
        case .text: writer.string(literal: "TEXT")
        case .jsonObject: writer.string(literal: "JSON_OBJECT")
        case .jsonSchema(let format):
            writer.string(literal: "JSON_OBJECT")
            if let schema = format.present("schema") {
                guard schema.kind == .object else {
                    throw RequestField(schema).wrongType("an object")
                }
                writer.key("schema")
                writer.raw(schema.raw)
            }
        }
        writer.endObject()
    }
}
