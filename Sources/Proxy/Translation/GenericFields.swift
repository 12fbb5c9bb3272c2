/// The parts of GENERIC answers that whole and streamed ones share.
enum GenericFields {
    /// The token counts. OpenAI counts reasoning inside the completion, xAI on OCI does not and Gemini may leave the count
    /// out, so the total decides where it is known (OCI wire notes, 3.3).
    static func usage(_ value: JSONValue?) -> TokenUsage? {
        guard let value, value.kind == .object else { return nil }
        let prompt = count(value["promptTokens"])
        let total = count(value["totalTokens"])
        let completion = count(value["completionTokens"])
        guard prompt != nil || total != nil || completion != nil else { return nil }
        let spent =
            if let total, let prompt { max(total - prompt, 0) } else { completion ?? 0 }
        return TokenUsage(
            prompt: prompt ?? max((total ?? spent) - spent, 0), completion: spent, total: total ?? (prompt ?? 0) + spent,
            reasoning: count(value["completionTokensDetails"]?["reasoningTokens"]),
            cached: count(value["promptTokensDetails"]?["cachedTokens"]))
    }

    /// A number of tokens. What cannot be one (negative, or beyond 2^40) is unknown: the sums above and those of the
    /// statistics must not overflow whatever an upstream writes.
    static func count(_ value: JSONValue?) -> Int? {
        value?.int.flatMap { (0...1 << 40).contains($0) ? $0 : nil }
    }

    /// Whether an entry of `toolCalls` is, or begins, a call: it has an id or a name.
    static func isCall(_ entry: JSONValue) -> Bool {
        entry["id"]?.isEmptyString == false || entry["name"]?.isEmptyString == false
    }

    /// The calls of a whole message. Two that agree in id, name and arguments are one that is said twice.
    static func calls(of message: JSONValue?) -> [JSONValue] {
        let entries = message?.elements(of: "toolCalls").filter(isCall) ?? []
        guard entries.count > 1 else { return entries }
        var known: Set<[ArraySlice<UInt8>]> = []
        return entries.filter { entry in
            guard let id = entry["id"]?.rawString, !id.isEmpty else { return true }
            return known.insert([id, entry["name"]?.rawString ?? [], arguments(of: entry)]).inserted
        }
    }

    /// The arguments of a tool call, escaped. They are a text on the wire; an upstream that writes the object itself is
    /// understood as well, since clients must never get one.
    static func arguments(of call: JSONValue) -> ArraySlice<UInt8> {
        guard let value = call.present("arguments") else { return [] }
        if let text = value.rawString { return text }
        guard value.kind == .object else { return [] }
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: value.raw, as: UTF8.self), to: &escaped)
        return escaped[...]
    }

    /// Nil for a reason that is none (`ERROR`). Unknown words end an answer as `stop` does, but for one that has nothing in it: that must
    /// not look whole, and of OpenAI's words the one for a filter says that something was kept back.
    ///
    /// - Parameters:
    ///   - hasCalls: the answer calls tools: some families say `stop` all the same.
    ///   - isEmpty: it has said nothing.
    static func finishReason(_ value: JSONValue, hasCalls: Bool, isEmpty: Bool) -> FinishReason? {
        finishReason(FinishWord(value.string ?? ""), hasCalls: hasCalls, isEmpty: isEmpty)
    }

    static func finishReason(_ word: FinishWord, hasCalls: Bool, isEmpty: Bool) -> FinishReason? {
        switch word {
        case .failed: nil
        case .limit: .length
        case .filtered: .contentFilter
        case .calls: .toolCalls
        case .other where isEmpty: .contentFilter
        case .whole, .other: hasCalls ? .toolCalls : .stop
        }
    }

    /// An answer that says nothing and does not say why is no answer.
    static let emptyAnswer = APIError(
        status: 502, message: "The upstream gave an empty answer: no text, no reasoning and no tool call. Try again.",
        type: "upstream_error", code: "upstream_empty_answer", kind: .failed)

    /// The document is none of OCI's answers, and may be an error.
    ///
    /// - Parameter body: what came.
    static func invalidAnswer(_ body: [UInt8]) -> APIError {
        if let root = try? JSONDocument(parsing: body).root, root.kind == .object, root["chatResponse"] == nil,
            root["message"]?.kind == .string || root.present("error") != nil
        {
            return OCIErrorToOpenAI.translate(event: root)
        }
        return APIError(
            status: 502, message: "The upstream's answer is not a chat answer. Try again; if it stays so, check the account's endpoint.",
            type: "upstream_error", code: "upstream_invalid_answer", kind: AnswerForm.isStream(body) ? .wrongKind : .failed)
    }

    /// The id of a call to which the upstream gave none.
    static func inventedCallID(answer: String, choice: Int, call: Int) -> String {
        "call_\(answer.split(separator: "-").last ?? "")_\(choice)_\(call)"
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
