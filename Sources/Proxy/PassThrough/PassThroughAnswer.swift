/// A whole answer of an upstream that speaks the OpenAI API: it passes as it is, but for `model`.
///
/// Answers vary, so nothing is asked of one but that it has choices and says something.
enum PassThroughAnswer {
    /// - Parameters:
    ///   - body: of an answer with HTTP status 200.
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - mayBeEmpty: the usual end may be all that it says.
    /// - Throws: `APIError` when the body is no chat answer, an error in place of one, or an answer that says nothing.
    static func read(_ body: [UInt8], model: String, upstream: String, mayBeEmpty: Bool = false) throws(APIError) -> OpenAIAnswer {
        let (root, text, isWrapped) = try opened(body, upstream: upstream, mayBeEmpty)
        let edits = CallRepair.edits(ofAnswer: root)
        var oddities: Oddities = []
        if isWrapped { oddities.insert(.wrapped) }
        guard edits.isEmpty else {
            oddities.insert(.calls)
            let mended = CallRepair.apply(edits, to: text)
            return OpenAIAnswer(body: ModelMember.replace(in: mended[...], with: model), usage: TokenUsage(openAI: root["usage"]), oddities: oddities)
        }
        return OpenAIAnswer(body: ModelMember.replace(in: text, parsed: root, with: model), usage: TokenUsage(openAI: root["usage"]), oddities: oddities)
    }

    /// The same for an answer of embeddings or of a rerank: an object with the list that was asked for, checked to its last byte. Some providers of
    /// reranks call theirs `data`.
    ///
    /// - Throws: `APIError` 502 when the body is no such answer (half of one, a page of HTML), or an error in place of one.
    static func readList(_ body: [UInt8], of action: OpenAIAction, model: String, upstream: String) throws(APIError) -> OpenAIAnswer {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else { throw invalid("is not JSON", upstream) }
        guard root["data"]?.kind == .array || action == .rerank && root["results"]?.kind == .array else {
            if let failure = failure(of: root, upstream: upstream) { throw failure }
            guard ErrorWords.tellFailure(root) else { throw invalid("has no list of results", upstream) }
            throw PassThroughError.translate(document: root, upstream: upstream)
        }
        // An empty list beside an error is none.
        let list = root["data"] ?? root["results"]
        if list?.elements.contains(where: { _ in true }) != true, let failure = failure(of: root, upstream: upstream) { throw failure }
        if action == .embeddings, let place = list?.elements.enumerated().first(where: { hasNoVector($0.element) })?.offset {
            throw noVector(of: place, upstream)
        }
        return OpenAIAnswer(body: ModelMember.replace(in: body, parsed: root, with: model), usage: TokenUsage(openAI: root["usage"]))
    }

    /// An entry of embeddings that has a place for its vector and nothing in it: servers say so to a text of which no token is left. Clients fall over it.
    private static func hasNoVector(_ entry: JSONValue) -> Bool {
        guard let vector = entry["embedding"] else { return false }
        switch vector.kind {
        case .null: return true
        case .array: return vector.elements.first(where: { _ in true })?.isNull ?? true
        case .string: return vector.isEmptyString == true
        case .object, .number, .true, .false: return false
        }
    }

    /// It is the text's own, so nobody else is asked.
    private static func noVector(of place: Int, _ upstream: String) -> APIError {
        APIError(
            status: 502, message: "'\(upstream)' gave no vector for text \(place) of 'input'. It may be too short for the model, or of signs that it leaves out.", type: "upstream_error",
            param: "input[\(place)]", code: "upstream_empty_answer", forbidsRetry: true, kind: .wrongKind)
    }

    /// The answer, parsed.
    ///
    /// - Throws: as `read`.
    static func document(_ body: [UInt8], upstream: String, mayBeEmpty: Bool = false) throws(APIError) -> JSONValue {
        try opened(body, upstream: upstream, mayBeEmpty).root
    }

    /// The answer, parsed, and its text: some gateways put an object of their own around it.
    private static func opened(_ body: [UInt8], upstream: String, _ mayBeEmpty: Bool) throws(APIError) -> (root: JSONValue, text: [UInt8], isWrapped: Bool) {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else { throw unreadable(body, upstream) }
        guard let choices = root.present("choices") else {
            for name in ["data", "result", "response"] as [StaticString] {
                guard let inner = root[name], inner.kind == .object, inner["choices"]?.kind == .array else { continue }
                let answer = try opened(Array(inner.raw), upstream: upstream, mayBeEmpty)
                return (answer.root, answer.text, true)
            }
            guard root.present("error") != nil || ErrorWords.tellFailure(root) || ErrorWords(root).message != nil else {
                throw invalid("is not a chat answer", upstream)
            }
            throw PassThroughError.translate(document: root, upstream: upstream)
        }
        if !choices.elements.contains(where: ChoiceContent.saysSomething) {
            if let failure = failure(of: root, upstream: upstream) { throw failure }
            guard mayBeEmpty, TokenUsage(openAI: root["usage"])?.hasAnswer == true, choices.elements.contains(where: ChoiceContent.hasEnded) else { throw GenericFields.emptyAnswer }
        }
        return (root, body, false)
    }

    /// A body that is no JSON object. A stream may still begin with an error, which says more.
    private static func unreadable(_ body: [UInt8], _ upstream: String) -> APIError {
        guard AnswerForm.isStream(body) else { return invalid("is not JSON", upstream) }
        if let event = AnswerForm.firstEvent(of: body), event.present("error") != nil, event.present("choices") == nil {
            return PassThroughError.translate(document: event, upstream: upstream)
        }
        return wrongKind("has the form of a stream, though one document was asked for", upstream)
    }

    /// 502: the body is not what was asked for.
    static func invalid(_ problem: String, _ upstream: String) -> APIError {
        APIError(
            status: 502, message: "The answer of '\(upstream)' \(problem). Try again; if it stays so, check its base URL.",
            type: "upstream_error", code: "upstream_invalid_answer", kind: .failed)
    }

    /// 502: an answer, but in the other form. Whoever asks again pays again.
    static func wrongKind(_ problem: String, _ upstream: String) -> APIError {
        APIError(
            status: 502, message: "The answer of '\(upstream)' \(problem).", type: "upstream_error", code: "upstream_invalid_answer", forbidsRetry: true,
            kind: .wrongKind)
    }

    /// The error beside choices, if there is one: OpenRouter puts it there, or into the choice.
    static func failure(of root: JSONValue, upstream: String) -> APIError? {
        if root.present("error") != nil { return PassThroughError.translate(document: root, upstream: upstream) }
        return root.elements(of: "choices").first { $0.present("error") != nil }.map { PassThroughError.translate(document: $0, upstream: upstream) }
    }
}
