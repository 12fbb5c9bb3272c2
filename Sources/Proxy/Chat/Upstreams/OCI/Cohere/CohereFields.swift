import ProxyRouting

/// The parts of answers in the two Cohere dialects that whole and streamed ones share.
enum CohereFields {
    /// Escaped.
    static let newline = Array(#"\n"#.utf8)[...]

    /// An answer's finish reason. An empty one, or one that is no text, is none.
    static func finishReason(of answer: JSONValue) -> FinishWord? {
        answer["finishReason"]?.string.flatMap { $0.isEmpty ? nil : FinishWord($0) }
    }

    /// What went wrong, if the finish reason says that something did.
    static func failure(of answer: JSONValue) -> Failure? {
        guard answer["finishReason"]?.string?.uppercased() == "ERROR" else { return nil }
        guard let message = answer["errorMessage"]?.string, !message.isEmpty else {
            return .brokenOff("no reason given")
        }
        return OCIErrorReader.translate(words: ErrorWords(message: message))
            ?? Failure(
                .failed(.brokenOff), message)
    }

    /// The `chatResponse` of a ChatResult.
    ///
    /// - Parameter content: the members of which an answer of that dialect has at least one.
    static func chatResponse(_ body: [UInt8], with content: [StaticString]) throws(Failure) -> JSONValue {
        guard let response = try? JSONDocument(parsing: body).root["chatResponse"], response.kind == .object,
            content.contains(where: { response.present($0) != nil })
        else { throw GenericFields.invalidAnswer(body) }
        return response
    }

    /// Whether an entry of `toolCalls` is, or begins, a call.
    ///
    /// - Parameter function: where COHEREV2 has the name.
    static func isCall(_ call: JSONValue, function: JSONValue?) -> Bool {
        call["id"]?.isEmptyString == false || (function ?? call)["name"]?.isEmptyString == false
    }

    /// The parameters of a COHERE call as OpenAI's arguments, escaped: always a JSON text, `{}` when there are none.
    static func arguments(of call: JSONValue) -> ArraySlice<UInt8> {
        let none = Array("{}".utf8)[...]
        guard let parameters = call.present("parameters") else { return none }
        if let text = parameters.rawString { return text.isEmpty ? none : text }
        guard parameters.kind == .object else { return none }
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: parameters.raw, as: UTF8.self), to: &escaped)
        return escaped[...]
    }

    /// OpenAI's `logprobs` from COHEREV2's entries, each a text with the probabilities of its tokens; nil when there are none.
    static func logprobs(_ value: JSONValue?) -> [UInt8]? {
        let entries = value.map { $0.elements.filter { $0["text"]?.kind == .string } } ?? []
        guard !entries.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("content")
        writer.beginArray()
        for entry in entries {
            // The probability of several tokens in a row is the product of theirs.
            let numbers = entry.elements(of: "logProbabilities").compactMap(\.double)
            writer.beginObject()
            GenericFields.write(
                entry["text"]?.string ?? "", logprob: numbers.isEmpty ? nil : numbers.reduce(0, +), to: &writer)
            writer.key("top_logprobs")
            writer.beginArray()
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.key("refusal")
        writer.null()
        writer.endObject()
        return writer.bytes
    }
}
