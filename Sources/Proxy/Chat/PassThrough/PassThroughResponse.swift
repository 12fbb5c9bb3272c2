import ProxyRouting

/// A whole answer of an upstream that speaks the OpenAI API: it passes as it is, but for `model`.
///
/// Answers vary, so nothing is asked of one but that it has choices and says something.
enum PassThroughResponse {
    /// - Parameters:
    ///   - body: of an answer with HTTP status 200.
    ///   - model: the name that the client sent.
    ///   - upstream: its name, for the operator.
    ///   - mayBeEmpty: the usual end may be all that it says.
    /// - Throws: `Failure` when the body is no chat answer, an error in place of one, or an answer that says nothing.
    static func read(_ body: [UInt8], model: String, upstream: String, mayBeEmpty: Bool = false) throws(Failure)
        -> ClientResponse
    {
        let (root, text, isWrapped) = try opened(body, upstream: upstream, mayBeEmpty)
        let edits = CallRepair.edits(ofAnswer: root)
        var oddities = Oddities()
        if isWrapped { oddities.insert(.wrapped) }
        guard edits.isEmpty else {
            oddities.insert(.calls)
            let mended = CallRepair.apply(edits, to: text)
            return ClientResponse(
                body: ModelMember.replace(in: mended[...], with: model), usage: TokenUsage(openAI: root["usage"]),
                oddities: oddities)
        }
        return ClientResponse(
            body: ModelMember.replace(in: text, parsed: root, with: model), usage: TokenUsage(openAI: root["usage"]),
            oddities: oddities)
    }

    /// The answer, parsed.
    ///
    /// - Throws: as `read`.
    ///
    /// - Parameter takesSilence: an answer that has ended may say nothing.
    static func document(_ body: [UInt8], upstream: String, mayBeEmpty: Bool = false, takesSilence: Bool = false)
        throws(Failure) -> JSONValue
    {
        try opened(body, upstream: upstream, mayBeEmpty, takesSilence).root
    }

    /// The answer, parsed, and its text: some gateways put an object of their own around it.
    private static func opened(
        _ body: [UInt8], upstream: String, _ mayBeEmpty: Bool, _ takesSilence: Bool = false
    ) throws(Failure) -> (
        root: JSONValue, text: [UInt8], isWrapped: Bool
    ) {
        guard let root = try? JSONDocument(parsing: body).root, root.kind == .object else {
            throw unreadable(body, upstream)
        }
        guard let choices = root.present("choices") else {
            for name in ["data", "result", "response"] as [StaticString] {
                guard let inner = root[name], inner.kind == .object, inner["choices"]?.kind == .array else { continue }
                let answer = try opened(Array(inner.raw), upstream: upstream, mayBeEmpty, takesSilence)
                return (answer.root, answer.text, true)
            }
            guard root.present("error") != nil || ErrorWords.tellFailure(root) || ErrorWords(root).message != nil else {
                throw .invalidAnswer("is not a chat completion", upstream)
            }
            throw ProviderErrorReader.translate(document: root, upstream: upstream)
        }
        if !choices.elements.contains(where: ChoiceContent.saysSomething) {
            if let failure = ProviderErrorReader.failure(of: root, upstream: upstream) { throw failure }
            guard takesSilence || mayBeEmpty && TokenUsage(openAI: root["usage"])?.hasAnswer == true,
                choices.elements.contains(where: ChoiceContent.hasEnded)
            else { throw .emptyAnswer }
        }
        return (root, body, false)
    }

    /// A body that is no JSON object. A stream may still begin with an error, which says more.
    private static func unreadable(_ body: [UInt8], _ upstream: String) -> Failure {
        guard ResponseForm.isStream(body) else { return .invalidAnswer("is not JSON", upstream) }
        if let event = ResponseForm.firstEvent(of: body), event.present("error") != nil, event.present("choices") == nil
        {
            return ProviderErrorReader.translate(document: event, upstream: upstream)
        }
        return wrongKind("is a stream, but a single document was requested", upstream)
    }

    /// 502: an answer, but in the other form. Whoever asks again pays again.
    static func wrongKind(_ problem: String, _ upstream: String) -> Failure {
        Failure(
            .unusable(.otherForm), "The response of '\(upstream)' \(problem).")
    }
}
