import ProxyRouting

/// The parts of GENERIC answers that whole and streamed ones share.
enum GenericFields {
    /// Whether an entry of `toolCalls` is, or begins, a call: it has an id or a name.
    static func isCall(_ entry: JSONValue) -> Bool {
        entry["id"]?.isEmptyString == false || entry["name"]?.isEmptyString == false
    }

    /// Nil for a reason that is none (`ERROR`). Unknown words end an answer as `stop` does, but for one that has nothing in it: that must
    /// not look whole, and of OpenAI's words the one for a filter says that something was kept back.
    ///
    /// - Parameters:
    ///   - hasCalls: the answer calls tools: some families say `stop` all the same.
    ///   - isEmpty: it has said nothing.
    static func finishReason(_ word: FinishWord, hasCalls: Bool, isEmpty: Bool) -> FinishReason? {
        switch word {
        case .failed: nil
        case .limit: .length
        case .window: .contextWindow
        case .filtered: .contentFilter
        case .calls: .toolCalls
        case .other where isEmpty: .contentFilter
        case .whole, .other: hasCalls ? .toolCalls : .stop
        }
    }

    /// The document is none of OCI's answers, and may be an error.
    ///
    /// - Parameter body: what came.
    static func invalidAnswer(_ body: [UInt8]) -> Failure {
        if let root = try? JSONDocument(parsing: body).root, root.kind == .object, root["chatResponse"] == nil,
            root["message"]?.kind == .string || root.present("error") != nil
        {
            return OCIErrorReader.translate(event: root)
        }
        return Failure(
            ResponseForm.isStream(body) ? .unusable(.otherForm) : .failed(.invalid),
            "The upstream's response is not a chat response. Try again; if the error persists, check the account's endpoint."
        )
    }

    /// OpenAI's `annotations` of a message; nil when there are none.
    static func annotations(_ message: JSONValue?) -> [UInt8]? {
        let annotations = message?.elements(of: "annotations").map { $0 } ?? []
        guard !annotations.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.beginArray()
        for annotation in annotations {
            guard let citation = annotation["urlCitation"] else { continue }
            writer.beginObject()
            writer.key("type")
            writer.string(literal: "url_citation")
            writer.key("url_citation")
            writer.beginObject()
            for (name, theirs) in [
                ("start_index", "startIndex"), ("end_index", "endIndex"), ("title", "title"), ("url", "url"),
            ] as [(StaticString, StaticString)] {
                guard let value = citation.present(theirs) else { continue }
                writer.key(name)
                writer.raw(value.raw)
            }
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
        return writer.bytes
    }

    /// OpenAI's `logprobs` from OCI's columns; nil when there are none.
    static func logprobs(_ value: JSONValue?) -> [UInt8]? {
        guard let value else { return nil }
        let tokens = value.elements(of: "tokens")
        guard !tokens.isEmpty else { return nil }
        let numbers = value.elements(of: "tokenLogprobs")
        let tops = value.elements(of: "topLogprobs")
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("content")
        writer.beginArray()
        for (index, token) in tokens.enumerated() {
            writer.beginObject()
            write(token.string ?? "", logprob: index < numbers.count ? numbers[index].double : nil, to: &writer)
            writer.key("top_logprobs")
            writer.beginArray()
            if index < tops.count {
                for (token, logprob) in likeliest(tops[index]) {
                    writer.beginObject()
                    write(token, logprob: logprob, to: &writer)
                    writer.endObject()
                }
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.key("refusal")
        writer.null()
        writer.endObject()
        return writer.bytes
    }

    /// The tokens of one position, the likeliest first as OpenAI has them. OCI's schema has the numbers as text.
    private static func likeliest(_ column: JSONValue) -> [(token: String, logprob: Double?)] {
        column.members
            .map { (token: $0.key.string ?? "", logprob: $0.value.double ?? $0.value.string.flatMap(Double.init)) }
            .sorted { $0.logprob ?? -.infinity > $1.logprob ?? -.infinity }
    }

    /// The members of a token's entry but for its alternatives.
    static func write(_ token: String, logprob: Double?, to writer: inout JSONWriter) {
        writer.key("token")
        writer.string(token)
        writer.key("logprob")
        writer.double(logprob ?? -9999)
        writer.key("bytes")
        writer.beginArray()
        for byte in token.utf8 { writer.int(Int(byte)) }
        writer.endArray()
    }
}
